// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

func (c *daemonSets) enqueue(ds *appsv1.DaemonSet) { c.queue.Add(expectations.NameOf(ds)) }

// setUpdated takes every update, resyncs included. Another UID is another
// DaemonSet: the watch has merged the end of one and the beginning of the other.
func (c *daemonSets) setUpdated(old, ds *appsv1.DaemonSet) {
	if old.UID != ds.UID {
		c.setDeleted(old)
	}
	c.enqueue(ds)
}

func (c *daemonSets) setDeleted(ds *appsv1.DaemonSet) {
	c.expected.Forget(ds)
	c.written.Forget(ds)
	c.enqueue(ds)
}

// revisionAdded does nothing for a revision that has an owner: the owner made it,
// and knows.
func (c *daemonSets) revisionAdded(r *appsv1.ControllerRevision) {
	switch {
	case r.DeletionTimestamp != nil:
		c.revisionDeleted(r)
	case metav1.GetControllerOfNoCopy(r) == nil:
		c.enqueueSelecting(r)
	}
}

func (c *daemonSets) revisionUpdated(old, r *appsv1.ControllerRevision) {
	if old.ResourceVersion != r.ResourceVersion {
		c.childUpdated(old, r)
	}
}

func (c *daemonSets) revisionDeleted(r *appsv1.ControllerRevision) {
	if ds, found := c.owner(r); found {
		c.enqueue(ds)
	}
}

func (c *daemonSets) podAdded(pod *corev1.Pod) {
	if pod.DeletionTimestamp != nil {
		c.podDeleted(pod)
		return
	}
	if metav1.GetControllerOfNoCopy(pod) == nil {
		c.enqueueSelecting(pod)
		return
	}
	if ds, found := c.owner(pod); found {
		c.expected.Lower(ds, 1, 0)
		c.enqueue(ds)
	}
}

func (c *daemonSets) podUpdated(old, pod *corev1.Pod) {
	switch {
	case old.ResourceVersion == pod.ResourceVersion: // a resync; the DaemonSets have their own
	case pod.DeletionTimestamp != nil:
		c.podDeleted(pod)
	default:
		c.childUpdated(old, pod)
	}
}

// podDeleted is also called for a pod that begins to terminate.
func (c *daemonSets) podDeleted(pod *corev1.Pod) {
	if ds, found := c.owner(pod); found {
		c.expected.Deleted(ds, expectations.NameOf(pod))
		c.enqueue(ds)
	}
}

// childUpdated queues whom a change of a pod or a revision concerns: its owner,
// the one it was taken from, and all that may adopt it.
func (c *daemonSets) childUpdated(old, child metav1.Object) {
	before, ref := metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(child)
	moved := !equality.Semantic.DeepEqual(before, ref)
	if moved {
		if ds, found := c.owner(old); found {
			c.enqueue(ds)
		}
	}
	switch {
	case ref != nil:
		if ds, found := c.owner(child); found {
			c.enqueue(ds)
		}
	case moved || !maps.Equal(old.GetLabels(), child.GetLabels()):
		c.enqueueSelecting(child)
	}
}

func (c *daemonSets) owner(child metav1.Object) (*appsv1.DaemonSet, bool) {
	return ownerref.Resolve(c.sets.Get, child.GetNamespace(), metav1.GetControllerOfNoCopy(child), kind)
}

// enqueueSelecting queues every DaemonSet that may adopt an orphan.
func (c *daemonSets) enqueueSelecting(orphan metav1.Object) {
	for _, ds := range c.sets.Selecting(orphan.GetNamespace(), orphan.GetLabels()) {
		selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(orphan.GetLabels())) {
			c.enqueue(ds)
		}
	}
}
