// SPDX-License-Identifier: Apache-2.0

package job

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// picture is what one sync knows of a Job. Decisions read it, and actions bring
// it up to date.
type picture struct {
	// job is the sync's own; its status grows into the next one. saved is the
	// status that the API server has.
	job   *batchv1.Job
	saved batchv1.JobStatus
	pods  []*corev1.Pod
	// awaited are pods that are done with, although the cache does not show it.
	awaited sets.Set[types.UID]
	now     time.Time

	// active pods as they were found. The numbers below follow what is done.
	active                      []*corev1.Pod
	running, ready, terminating int32

	// Pods that have ended and are not on record yet, and how many have in all.
	newSucceeded, newFailed []*corev1.Pod
	succeeded, failed       int32
	// pending are the pods on record that are not in the counts yet.
	pendingSucceeded, pendingFailed sets.Set[types.UID]

	// completed, of an Indexed Job, are the indexes that have succeeded, among
	// them those on record.
	recorded, completed intervals
	// failedIndexes and delayed are known only where indexes have a limit of
	// their own. A delayed pod is the last failure of an index that goes on; its
	// successor inherits its counters, so it is held until then.
	failedIndexes intervals
	delayed       map[int]*corev1.Pod

	// end is why the Job ends, or nil.
	end *batchv1.JobCondition
}

// newPicture counts. It takes over the Job, and changes the status only by what
// later steps rely on.
func newPicture(job *batchv1.Job, pods []*corev1.Pod, awaited sets.Set[types.UID], now time.Time) *picture {
	p := &picture{job: job, saved: *job.Status.DeepCopy(), pods: pods, awaited: awaited, now: now}
	if job.Status.StartTime == nil && !suspended(job) {
		job.Status.StartTime = ptr.To(metav1.NewTime(now))
	}
	if job.Status.UncountedTerminatedPods == nil {
		job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	}
	pending := job.Status.UncountedTerminatedPods
	p.pendingSucceeded, p.pendingFailed = sets.New(pending.Succeeded...), sets.New(pending.Failed...)
	for _, pod := range pods {
		p.look(pod)
	}
	p.running = int32(len(p.active))
	p.succeeded = job.Status.Succeeded + int32(len(p.newSucceeded)+p.pendingSucceeded.Len())
	p.failed = job.Status.Failed + int32(p.pendingFailed.Len())
	for _, pod := range p.newFailed {
		if judge(job.Spec.PodFailurePolicy, pod).counts() {
			p.failed++
		}
	}
	if isIndexed(job) {
		p.countIndexes()
	}
	return p
}

func (p *picture) look(pod *corev1.Pod) {
	switch {
	case podstate.Active(pod):
		p.active = append(p.active, pod)
		if podstate.Ready(pod) {
			p.ready++
		}
	case podstate.Terminating(pod):
		p.terminating++
	}
	if !p.held(pod) || !p.validIndex(pod) {
		return
	}
	switch {
	case p.pendingFailed.Has(pod.UID): // it failed, whatever it says now
	case pod.Status.Phase == corev1.PodSucceeded:
		if !p.pendingSucceeded.Has(pod.UID) {
			p.newSucceeded = append(p.newSucceeded, pod)
		}
	case hasFailed(p.job, pod):
		p.newFailed = append(p.newFailed, pod)
	}
}

// held pods have not been dealt with yet.
func (p *picture) held(pod *corev1.Pod) bool { return tracked(pod) && !p.awaited.Has(pod.UID) }

// validIndex is true for every pod of a Job without indexes.
func (p *picture) validIndex(pod *corev1.Pod) bool {
	if !isIndexed(p.job) {
		return true
	}
	i := indexOf(pod)
	return i != noIndex && i < p.completions()
}

// completions of an Indexed Job, which always has them.
func (p *picture) completions() int { return int(ptr.Deref(p.job.Spec.Completions, 0)) }

func (p *picture) countIndexes() {
	p.recorded = knownIntervals(p.job.Status.CompletedIndexes, p.completions())
	indexes := make([]int, 0, len(p.newSucceeded))
	for _, pod := range p.newSucceeded {
		indexes = append(indexes, indexOf(pod))
	}
	p.completed = p.recorded.with(indexes...)
	p.succeeded = int32(p.completed.total())
	if limitsIndexes(p.job) {
		p.countFailedIndexes()
	}
}

func (p *picture) countFailedIndexes() {
	p.failedIndexes = knownIntervals(ptr.Deref(p.job.Status.FailedIndexes, ""), p.completions())
	var more []int
	for _, pod := range p.pods {
		if p.held(pod) && p.validIndex(pod) && hasFailed(p.job, pod) && p.failsIndex(pod) {
			more = append(more, indexOf(pod))
		}
	}
	p.failedIndexes = p.failedIndexes.with(more...)
	p.delayed = p.findDelayed()
}

// failsIndex says whether a failed pod is the one failure too many of its index.
func (p *picture) failsIndex(pod *corev1.Pod) bool {
	switch judge(p.job.Spec.PodFailurePolicy, pod).action {
	case batchv1.PodFailurePolicyActionFailIndex:
		return true
	case batchv1.PodFailurePolicyActionIgnore:
		return false
	}
	counted, _ := failuresOfIndex(pod)
	return counted >= *p.job.Spec.BackoffLimitPerIndex
}

func (p *picture) findDelayed() map[int]*corev1.Pod {
	running := sets.New[int]()
	for _, pod := range p.active {
		running.Insert(indexOf(pod))
	}
	delayed := map[int]*corev1.Pod{}
	for _, pod := range p.pods {
		i := indexOf(pod)
		if !p.held(pod) || !p.validIndex(pod) || !hasFailed(p.job, pod) ||
			p.completed.has(i) || p.failedIndexes.has(i) || running.Has(i) {
			continue
		}
		if other := delayed[i]; other == nil || isLater(pod, other) {
			delayed[i] = pod
		}
	}
	return delayed
}

// isLater compares two failed pods of one index.
func isLater(a, b *corev1.Pod) bool {
	if x, y := failuresBefore(a), failuresBefore(b); x != y {
		return x > y
	}
	return finishTime(a).After(finishTime(b))
}

// failuresBefore is how many failures of any sort the index had before the pod.
func failuresBefore(pod *corev1.Pod) int32 {
	counted, ignored := failuresOfIndex(pod)
	return counted + ignored
}

func (p *picture) nowTime() *metav1.Time { return ptr.To(metav1.NewTime(p.now)) }
