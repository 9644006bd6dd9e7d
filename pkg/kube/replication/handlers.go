// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

func (e *Engine[T]) enqueue(owner T) { e.queue.Add(expectations.NameOf(owner)) }

// ownerUpdated takes every update, resyncs included: they are what heals an
// owner whose last sync was lost. Another UID is another owner: the watch has
// merged the end of one and the beginning of the other.
func (e *Engine[T]) ownerUpdated(old, owner T) {
	if old.GetUID() != owner.GetUID() {
		e.ownerDeleted(old)
	}
	e.enqueue(owner)
}

func (e *Engine[T]) ownerDeleted(owner T) {
	e.expected.Forget(owner)
	e.written.Forget(owner)
	e.enqueue(owner)
}

func (e *Engine[T]) podAdded(pod *corev1.Pod) {
	if pod.DeletionTimestamp != nil {
		e.podDeleted(pod)
		return
	}
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		e.enqueueSelecting(pod)
		return
	}
	if owner, found := e.owner(pod, ref); found {
		e.expected.Lower(owner, 1, 0)
		e.enqueue(owner)
	}
}

func (e *Engine[T]) podUpdated(old, pod *corev1.Pod) {
	if old.ResourceVersion == pod.ResourceVersion {
		return
	}
	relabelled := !maps.Equal(old.Labels, pod.Labels)
	if pod.DeletionTimestamp != nil {
		e.podDeleted(pod)
		if relabelled {
			e.podDeleted(old)
		}
		return
	}
	before, ref := metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(pod)
	moved := !equality.Semantic.DeepEqual(before, ref)
	if moved && before != nil {
		if owner, found := e.owner(old, before); found {
			e.enqueue(owner)
		}
	}
	switch {
	case ref != nil:
		e.ownPodUpdated(old, pod, ref)
	case relabelled || moved:
		e.enqueueSelecting(pod)
	}
}

func (e *Engine[T]) ownPodUpdated(old, pod *corev1.Pod, ref *metav1.OwnerReference) {
	owner, found := e.owner(pod, ref)
	if !found {
		return
	}
	e.enqueue(owner)
	if wait := e.kind.Spec(owner).MinReadySeconds; wait > 0 && !podstate.Ready(old) && podstate.Ready(pod) {
		e.queue.AddAfter(expectations.NameOf(owner), time.Duration(wait)*time.Second)
	}
}

// podDeleted is also called for a pod that begins to terminate: it does not
// count any more.
func (e *Engine[T]) podDeleted(pod *corev1.Pod) {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		return
	}
	if owner, found := e.owner(pod, ref); found {
		e.expected.Deleted(owner, expectations.NameOf(pod))
		e.enqueue(owner)
	}
}

func (e *Engine[T]) owner(pod *corev1.Pod, ref *metav1.OwnerReference) (T, bool) {
	return ownerref.Resolve(e.Owners.Get, pod.Namespace, ref, e.kind.GroupVersionKind.Kind)
}

// enqueueSelecting queues every owner that may adopt the pod.
func (e *Engine[T]) enqueueSelecting(pod *corev1.Pod) {
	for _, owner := range e.Owners.Selecting(pod.Namespace, pod.Labels) {
		selector, err := metav1.LabelSelectorAsSelector(e.kind.Spec(owner).Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(pod.Labels)) {
			e.enqueue(owner)
		}
	}
}
