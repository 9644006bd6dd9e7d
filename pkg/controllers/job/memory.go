// SPDX-License-Identifier: Apache-2.0

package job

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
)

// memory is what a run remembers of Jobs from one sync to the next. What is
// remembered of a Job says nothing about another one that was created later under
// the same name. Safe for concurrent use.
type memory struct {
	mu      sync.Mutex
	records map[key]*memo
}

type memo struct {
	job     types.UID
	backoff backoff
	// awaited are the pods whose finalizer was removed, which the cache does not
	// show yet. They have been counted.
	awaited sets.Set[types.UID]
	// ended says that the Job was written as finished, which the cache does not
	// show yet.
	ended bool
}

func newMemory() *memory { return &memory{records: map[key]*memo{}} }

// of is the memo of a Job, or nil.
func (m *memory) of(job metav1.Object) *memo {
	if r := m.records[expectations.NameOf(job)]; r != nil && r.job == job.GetUID() {
		return r
	}
	return nil
}

// note changes the memo of a Job, which begins empty.
func (m *memory) note(job metav1.Object, change func(*memo)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(job)
	if r == nil {
		r = &memo{job: job.GetUID(), awaited: sets.New[types.UID]()}
		m.records[expectations.NameOf(job)] = r
	}
	change(r)
}

// recall is a copy of the memo.
func (m *memory) recall(job metav1.Object) memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(job)
	if r == nil {
		return memo{}
	}
	return memo{job: r.job, backoff: r.backoff, awaited: r.awaited.Clone(), ended: r.ended}
}

func (m *memory) setBackoff(job metav1.Object, b backoff) {
	if b != m.recall(job).backoff {
		m.note(job, func(r *memo) { r.backoff = b })
	}
}

func (m *memory) setEnded(job metav1.Object, ended bool) {
	m.note(job, func(r *memo) { r.ended = ended })
}

// await remembers pods whose finalizer is being removed.
func (m *memory) await(job metav1.Object, pods []types.UID) {
	m.note(job, func(r *memo) { r.awaited.Insert(pods...) })
}

// observed forgets a pod that has lost its finalizer, or kept it.
func (m *memory) observed(job metav1.Object, pod types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.of(job); r != nil {
		r.awaited.Delete(pod)
	}
}

func (m *memory) forget(job metav1.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of(job) != nil {
		delete(m.records, expectations.NameOf(job))
	}
}

func (m *memory) forgetName(k key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, k)
}
