// SPDX-License-Identifier: Apache-2.0

package job

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ranking"
)

// maxPodsPerSync bounds what one sync creates or deletes; the next one goes on.
const maxPodsPerSync = 500

// wanted is how many pods should be active.
func (p *picture) wanted() int {
	parallelism := int(ptr.Deref(p.job.Spec.Parallelism, 1))
	if p.job.Spec.Completions == nil {
		if p.succeeded > 0 {
			return int(p.running)
		}
		return parallelism
	}
	return max(0, min(int(*p.job.Spec.Completions)-int(p.succeeded), parallelism))
}

// surplus are the active pods to delete: those nobody can use, and as many as
// there are too many of.
func (p *picture) surplus(wanted int) []*corev1.Pod {
	sorted := ranking.DeleteFirst(p.active, ranking.Context{Now: p.now, Exact: true})
	var useless []*corev1.Pod
	if isIndexed(p.job) {
		useless, sorted = p.splitUseless(sorted)
	}
	if n := len(p.active) - wanted - len(useless); n > 0 {
		useless = append(useless, sorted[:min(n, len(sorted))]...)
	}
	return useless[:min(len(useless), maxPodsPerSync)]
}

// splitUseless tells apart the pods whose index is missing, beyond the
// completions, or taken by a pod further back in the list, and the others.
func (p *picture) splitUseless(sorted []*corev1.Pod) (useless, useful []*corev1.Pod) {
	taken := sets.New[int]()
	for _, pod := range slices.Backward(sorted) {
		if i := indexOf(pod); p.validIndex(pod) && !taken.Has(i) {
			taken.Insert(i)
			useful = append(useful, pod)
			continue
		}
		useless = append(useless, pod)
	}
	slices.Reverse(useless)
	slices.Reverse(useful)
	return useless, useful
}

// missing is how many pods are to be created.
func (p *picture) missing(wanted int) int {
	n := wanted - int(p.running)
	if replacesOnlyFailed(p.job) {
		n -= int(p.terminating)
	}
	return min(n, maxPodsPerSync)
}

// freeIndexes are the n lowest indexes that need a pod.
func (p *picture) freeIndexes(n int) []int {
	taken := sets.New[int]()
	for _, pod := range p.pods {
		if podstate.Active(pod) || replacesOnlyFailed(p.job) && podstate.Terminating(pod) {
			taken.Insert(indexOf(pod))
		}
	}
	var free []int
	for i := 0; i < p.completions() && len(free) < n; i++ {
		if !taken.Has(i) && !p.completed.has(i) && !p.failedIndexes.has(i) {
			free = append(free, i)
		}
	}
	return free
}

// due are those of the indexes whose last failure is long enough ago. When none
// is, it is told how long that takes.
func (p *picture) due(indexes []int) (due []int, wait time.Duration) {
	for _, i := range indexes {
		left := p.untilRetry(i)
		switch {
		case left <= 0:
			due = append(due, i)
		case wait == 0 || left < wait:
			wait = left
		}
	}
	return due, wait
}

func (p *picture) untilRetry(index int) time.Duration {
	pod := p.delayed[index]
	if pod == nil {
		return 0
	}
	return backoff{failures: failuresBefore(pod) + 1, last: finishTime(pod)}.remaining(p.now)
}
