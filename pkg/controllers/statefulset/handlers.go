// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

func nameOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (c *statefulSets) enqueue(set *appsv1.StatefulSet) { c.queue.Add(nameOf(set)) }

// setUpdated takes every update, resyncs included. Another UID is another set:
// the watch has merged the end of one and the beginning of the other.
func (c *statefulSets) setUpdated(old, set *appsv1.StatefulSet) {
	if old.UID != set.UID {
		c.setDeleted(old)
	}
	c.enqueue(set)
}

func (c *statefulSets) setDeleted(set *appsv1.StatefulSet) {
	c.written.Forget(set)
	c.metrics.forget(set)
	c.enqueue(set)
}

func (c *statefulSets) podAdded(pod *corev1.Pod) {
	ref := metav1.GetControllerOfNoCopy(pod)
	switch {
	case ref != nil:
		c.enqueueOwner(pod, ref)
	case pod.DeletionTimestamp == nil:
		c.enqueueSelecting(pod)
	}
}

// podUpdated treats a pod that begins to terminate like any other: a set waits
// for the end of its pods.
func (c *statefulSets) podUpdated(old, pod *corev1.Pod) {
	if old.ResourceVersion == pod.ResourceVersion {
		return
	}
	before, ref := metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(pod)
	moved := !equality.Semantic.DeepEqual(before, ref)
	if moved && before != nil {
		c.enqueueOwner(old, before)
	}
	if ref != nil {
		set := c.enqueueOwner(pod, ref)
		if set != nil && set.Spec.MinReadySeconds > 0 && !podstate.Ready(old) && podstate.Ready(pod) {
			c.queue.AddAfter(nameOf(set), time.Duration(set.Spec.MinReadySeconds)*time.Second)
		}
		return
	}
	if moved || !maps.Equal(old.Labels, pod.Labels) {
		c.enqueueSelecting(pod)
	}
}

func (c *statefulSets) podDeleted(pod *corev1.Pod) {
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		c.enqueueOwner(pod, ref)
	}
}

// enqueueOwner queues the set that a reference names, and returns it, or nil.
func (c *statefulSets) enqueueOwner(pod *corev1.Pod, ref *metav1.OwnerReference) *appsv1.StatefulSet {
	set, found := ownerref.Resolve(c.sets.Get, pod.Namespace, ref, kind.Kind)
	if !found {
		return nil
	}
	c.enqueue(set)
	return set
}

// enqueueSelecting queues every set that may adopt the pod.
func (c *statefulSets) enqueueSelecting(pod *corev1.Pod) {
	for _, set := range c.sets.Selecting(pod.Namespace, pod.Labels) {
		selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(pod.Labels)) {
			c.enqueue(set)
		}
	}
}
