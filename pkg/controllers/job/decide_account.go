// SPDX-License-Identifier: Apache-2.0

package job

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// maxUncounted bounds the UIDs in a status, whose size they would dominate, and
// the work of one sync.
const maxUncounted = 500

// account is what a sync puts on record.
type account struct {
	// pods are on record and may go.
	pods []*corev1.Pod
	// full says that there may be more.
	full bool
	// actions are those of the pod failure policy that were taken.
	actions []batchv1.PodFailurePolicyAction

	indexes sets.Set[int]
}

// account puts the pods that have ended on record, in the status.
func (p *picture) account() *account {
	p.settle(p.heldUIDs())
	a := &account{indexes: sets.New[int]()}
	pods := p.pods
	if isIndexed(p.job) {
		pods = slices.Clone(pods)
		slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return indexOf(a) - indexOf(b) })
	}
	for _, pod := range pods {
		if !p.held(pod) || !p.mayGo(pod) {
			continue
		}
		a.pods = append(a.pods, pod)
		p.enter(a, pod)
		pending := p.job.Status.UncountedTerminatedPods
		if a.indexes.Len()+len(pending.Succeeded)+len(pending.Failed) >= maxUncounted {
			a.full = true
			break
		}
	}
	if isIndexed(p.job) {
		p.enterIndexes(a)
	}
	return a
}

func (p *picture) heldUIDs() sets.Set[types.UID] {
	held := sets.New[types.UID]()
	for _, pod := range p.pods {
		if p.held(pod) {
			held.Insert(pod.UID)
		}
	}
	return held
}

// settle turns the UIDs of pods that have lost their finalizer into numbers.
func (p *picture) settle(held sets.Set[types.UID]) {
	status := &p.job.Status
	keep := func(uids []types.UID) []types.UID {
		var kept []types.UID
		for _, uid := range uids {
			if held.Has(uid) {
				kept = append(kept, uid)
			}
		}
		return kept
	}
	pending := status.UncountedTerminatedPods
	succeeded, failed := keep(pending.Succeeded), keep(pending.Failed)
	status.Succeeded += int32(len(pending.Succeeded) - len(succeeded))
	status.Failed += int32(len(pending.Failed) - len(failed))
	pending.Succeeded, pending.Failed = succeeded, failed
}

// mayGo says whether a held pod is not needed any more.
func (p *picture) mayGo(pod *corev1.Pod) bool {
	if p.job.DeletionTimestamp != nil || p.end != nil || pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if !hasFailed(p.job, pod) {
		return false
	}
	return !p.validIndex(pod) || p.delayed[indexOf(pod)] != pod
}

// fails says whether the Job ends as failed; all pods that are left then count
// as failed too.
func (p *picture) fails() bool {
	return p.end != nil && (p.end.Type == batchv1.JobFailureTarget || p.end.Type == batchv1.JobFailed)
}

func (p *picture) enter(a *account, pod *corev1.Pod) {
	pending := p.job.Status.UncountedTerminatedPods
	switch {
	case p.pendingFailed.Has(pod.UID):
	case pod.Status.Phase == corev1.PodSucceeded:
		if isIndexed(p.job) {
			if i := indexOf(pod); p.validIndex(pod) && !p.recorded.has(i) {
				a.indexes.Insert(i)
			}
		} else if !p.pendingSucceeded.Has(pod.UID) {
			pending.Succeeded = append(pending.Succeeded, pod.UID)
		}
	case p.validIndex(pod) && (p.fails() || hasFailed(p.job, pod)):
		j := judge(p.job.Spec.PodFailurePolicy, pod)
		if j.action != "" {
			a.actions = append(a.actions, j.action)
		}
		if j.counts() {
			pending.Failed = append(pending.Failed, pod.UID)
		}
	}
}

func (p *picture) enterIndexes(a *account) {
	status := &p.job.Status
	completed := p.recorded.with(sets.List(a.indexes)...)
	status.CompletedIndexes, status.Succeeded = completed.String(), int32(completed.total())
	status.FailedIndexes = nil
	if limitsIndexes(p.job) {
		status.FailedIndexes = ptr.To(p.failedIndexes.String())
	}
}

// announce writes down what was decided, before pods are let go that gave the
// reason. It returns the condition that completes it later, or nil.
func (p *picture) announce() *batchv1.JobCondition {
	if p.end == nil {
		return nil
	}
	last := batchv1.JobFailed
	if p.end.Type == batchv1.JobSuccessCriteriaMet {
		last = batchv1.JobComplete
	}
	if p.end.Type != last {
		setCondition(&p.job.Status, *p.end)
	}
	return ptr.To(condition(last, corev1.ConditionTrue, p.end.Reason, p.end.Message, p.now))
}

// finish ends the Job, unless something of it is left.
func (p *picture) finish(last *batchv1.JobCondition) bool {
	status := &p.job.Status
	pending := status.UncountedTerminatedPods
	if last == nil || len(pending.Succeeded)+len(pending.Failed) > 0 || p.terminating > 0 {
		return false
	}
	setCondition(status, *last)
	if last.Type == batchv1.JobComplete {
		status.CompletionTime = p.nowTime()
	}
	return true
}

// count puts the numbers of pods into the status.
func (p *picture) count() {
	status := &p.job.Status
	status.Active, status.Ready, status.Terminating = p.running, ptr.To(min(p.ready, p.running)), ptr.To(p.terminating)
}

// urgency of a status, compared with the one that is written. That a Job begins is
// urgent, and so is what its conditions say. How many pods there are is not: those
// that have ended are on record before they are let go.
func urgency(saved, next *batchv1.JobStatus) time.Duration {
	if !next.StartTime.Equal(saved.StartTime) || !equality.Semantic.DeepEqual(saved.Conditions, next.Conditions) {
		return pacing.Now
	}
	return pacing.Later
}
