// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

func (e *Engine[T]) sync(ctx context.Context, key types.NamespacedName) error {
	if err := e.fresh(key); err != nil {
		return err
	}
	owner, found := e.Owners.Get(key.Namespace, key.Name)
	if !found {
		e.expected.ForgetName(key)
		e.pacer.Forget(key)
		e.written.ForgetName(key)
		return nil
	}
	// To be asked before the pods are read: what is observed after this moment
	// may be missing among them.
	settled := e.expected.Satisfied(owner)
	spec := e.kind.Spec(owner)
	selector, err := metav1.LabelSelectorAsSelector(spec.Selector)
	if err != nil {
		e.logger.Error(err, "The selector is invalid, waiting for a change", "owner", klog.KObj(owner))
		return nil
	}
	active, leaving, err := e.claim(ctx, owner, selector)
	if err != nil {
		return err
	}
	var failure error
	if settled && owner.GetDeletionTimestamp() == nil {
		failure = e.manage(ctx, owner, spec, active)
		if controller.IsStopping(ctx, failure) {
			return failure
		}
	}
	v := view{Spec: spec, Generation: owner.GetGeneration(), Status: e.kind.Status(owner), Active: active, Failure: failure, Now: e.clock.Now()}
	if e.opts.Terminating {
		v.Terminating = &leaving
	}
	status := v.next()
	if err := e.report(ctx, key, owner, status, v.urgency(status)); err != nil {
		return err
	}
	if failure == nil && spec.MinReadySeconds > 0 && status.ReadyReplicas != status.AvailableReplicas {
		e.queue.AddAfter(key, podstate.NextAvailability(active, spec.MinReadySeconds, v.Now, e.clock.Now()))
	}
	return failure
}

// fresh is nil when the caches show what was last written for the owner.
func (e *Engine[T]) fresh(key types.NamespacedName) error {
	err := e.written.Check(key)
	var stale *writes.StaleError
	if errors.As(err, &stale) && e.opts.Stale != nil {
		e.opts.Stale(stale.Resource)
	}
	return err
}

// claim finds the active pods that belong to the owner, adopting and releasing
// on the way, and counts those that are leaving it. Pods that are not active are
// neither adopted nor released.
func (e *Engine[T]) claim(ctx context.Context, owner T, selector labels.Selector) (active []*corev1.Pod, leaving int32, err error) {
	var candidates []*corev1.Pod
	for _, pod := range e.Pods.ControlledBy(owner.GetNamespace(), e.kind.GroupVersionKind.Kind, owner.GetName(), owner.GetUID()) {
		switch {
		case podstate.Active(pod):
			candidates = append(candidates, pod)
		case podstate.Terminating(pod) && selector.Matches(labels.Set(pod.Labels)):
			leaving++
		}
	}
	for _, pod := range e.Pods.Orphans(owner.GetNamespace()) {
		if podstate.Active(pod) {
			candidates = append(candidates, pod)
		}
	}
	claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner:     owner,
		Kind:      e.kind.GroupVersionKind,
		ChildKind: "Pod",
		Selector:  selector,
		Fresh: func(ctx context.Context) (metav1.Object, error) {
			return e.kind.Live(ctx, owner.GetNamespace(), owner.GetName())
		},
		Patch: func(ctx context.Context, pod *corev1.Pod, patch []byte) error { return e.patch(ctx, owner, pod, patch) },
	})
	active, err = claimer.Claim(ctx, candidates)
	return active, leaving, err
}

func (e *Engine[T]) patch(ctx context.Context, owner T, pod *corev1.Pod, patch []byte) error {
	patched, err := e.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err == nil && metav1.IsControlledBy(patched, owner) {
		e.written.Wrote(owner, podResource, patched)
	}
	return err
}

// report writes the status if it says something new, now or when it has waited
// for as long as its urgency allows. When that fails, mostly because somebody has
// changed the owner meanwhile, it is tried once more on the live one.
func (e *Engine[T]) report(ctx context.Context, key types.NamespacedName, owner T, status appsv1.ReplicaSetStatus, urgency time.Duration) error {
	if equality.Semantic.DeepEqual(e.kind.Status(owner), status) {
		e.pacer.Forget(key)
		return nil
	}
	if left := e.pacer.Hold(key, urgency); left > 0 {
		e.queue.AddAfter(key, left)
		return nil
	}
	updated, err := e.kind.PutStatus(ctx, owner, status)
	if err != nil {
		live, liveErr := e.kind.Live(ctx, owner.GetNamespace(), owner.GetName())
		if liveErr != nil {
			return liveErr
		}
		if live.GetUID() != owner.GetUID() {
			return err
		}
		if updated, err = e.kind.PutStatus(ctx, live, status); err != nil {
			return err
		}
	}
	e.written.Wrote(owner, e.ownerResource(), updated)
	return nil
}
