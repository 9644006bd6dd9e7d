// SPDX-License-Identifier: Apache-2.0

package job

import (
	"maps"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

func (c *jobs) enqueue(job *batchv1.Job) { c.queue.Add(expectations.NameOf(job)) }

// enqueueLater collects what happens to a Job's pods within a moment.
func (c *jobs) enqueueLater(job *batchv1.Job) {
	c.queue.AddAfter(expectations.NameOf(job), batchPeriod)
}

func (c *jobs) jobAdded(job *batchv1.Job) {
	if by := otherManager(job); by != "" {
		c.metrics.external.WithLabelValues(by).Inc()
	}
	if finished(&job.Status) {
		c.jobFinished(job)
		return
	}
	c.enqueue(job)
}

// jobUpdated takes another UID for what it is: the watch has merged the end of
// one Job and the beginning of another.
func (c *jobs) jobUpdated(old, job *batchv1.Job) {
	switch {
	case old.UID != job.UID:
		c.jobDeleted(old)
		c.jobAdded(job)
		return
	case finished(&job.Status):
		c.jobFinished(job)
		return
	case old.Generation == job.Generation:
		c.enqueueLater(job)
	default:
		c.enqueue(job)
	}
	limit := job.Spec.ActiveDeadlineSeconds
	if start := job.Status.StartTime; start != nil && limit != nil && !ptr.Equal(limit, old.Spec.ActiveDeadlineSeconds) {
		c.queue.AddAfter(expectations.NameOf(job), time.Duration(*limit)*time.Second-c.clock.Since(start.Time))
	}
}

// jobFinished needs no sync any more, but its pods may still be held by the
// finalizer.
func (c *jobs) jobFinished(job *batchv1.Job) {
	c.forget(job)
	c.releasePodsOf(job)
}

func (c *jobs) jobDeleted(job *batchv1.Job) {
	c.forget(job)
	c.releasePodsOf(job)
	c.enqueue(job)
}

// forget drops all that is remembered of a Job.
func (c *jobs) forget(job *batchv1.Job) {
	c.expected.Forget(job)
	c.written.Forget(job)
	c.memory.forget(job)
}

func (c *jobs) podAdded(pod *corev1.Pod) {
	c.metrics.tracked(nil, pod)
	if pod.DeletionTimestamp != nil {
		c.podDeleted(pod, false)
		return
	}
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		c.orphanFound(pod)
		c.enqueueSelecting(pod)
		return
	}
	if job, found := c.owner(pod, ref); found {
		c.expected.Lower(job, 1, 0)
		c.enqueueLater(job)
	}
}

func (c *jobs) podUpdated(old, pod *corev1.Pod) {
	if old.ResourceVersion == pod.ResourceVersion {
		return
	}
	c.metrics.tracked(old, pod)
	if pod.DeletionTimestamp != nil {
		c.podDeleted(pod, false)
		return
	}
	before, ref := metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(pod)
	moved := !equality.Semantic.DeepEqual(before, ref)
	if moved && before != nil {
		c.ownPodUpdated(pod, before)
	}
	if ref != nil {
		c.ownPodUpdated(pod, ref)
		return
	}
	c.orphanFound(pod)
	if moved || !maps.Equal(old.Labels, pod.Labels) {
		c.enqueueSelecting(pod)
	}
}

func (c *jobs) ownPodUpdated(pod *corev1.Pod, ref *metav1.OwnerReference) {
	job, found := c.owner(pod, ref)
	if !found {
		return
	}
	if !tracked(pod) {
		c.memory.observed(job, pod.UID)
	}
	c.enqueueLater(job)
}

// podDeleted is also called for a pod that begins to terminate, which is not
// final.
func (c *jobs) podDeleted(pod *corev1.Pod, final bool) {
	if final {
		c.metrics.tracked(pod, nil)
	}
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		c.orphanFound(pod)
		return
	}
	job, found := c.owner(pod, ref)
	if !found || finished(&job.Status) {
		c.orphanFound(pod)
		return
	}
	c.expected.Deleted(job, expectations.NameOf(pod))
	if final || !tracked(pod) {
		c.memory.observed(job, pod.UID)
	}
	c.enqueueLater(job)
}

func (c *jobs) owner(pod *corev1.Pod, ref *metav1.OwnerReference) (*batchv1.Job, bool) {
	return ownerref.Resolve(c.jobs.Get, pod.Namespace, ref, kind.Kind)
}

// enqueueSelecting queues every Job that may adopt the pod.
func (c *jobs) enqueueSelecting(pod *corev1.Pod) {
	for _, job := range c.jobs.Selecting(pod.Namespace, pod.Labels) {
		selector, err := metav1.LabelSelectorAsSelector(job.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(pod.Labels)) {
			c.enqueueLater(job)
		}
	}
}

// tracked pods are held until they have been counted.
func tracked(pod *corev1.Pod) bool {
	return slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer)
}
