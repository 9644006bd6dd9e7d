// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

func (c *statefulSets) sync(ctx context.Context, key types.NamespacedName) error {
	if err := c.fresh(key); err != nil {
		return err
	}
	set, found := c.sets.Get(key.Namespace, key.Name)
	if !found {
		c.written.ForgetName(key)
		c.pacer.Forget(key)
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		c.logger.Error(err, "The selector is invalid, waiting for a change", "statefulSet", klog.KObj(set))
		return nil
	}
	if err := c.adoptRevisions(ctx, set, selector); err != nil {
		return err
	}
	pods, err := c.claim(ctx, set, selector)
	if err != nil {
		return err
	}
	return c.syncSet(ctx, set, selector, pods)
}

// fresh is nil when the caches show what was last written for the set.
func (c *statefulSets) fresh(key types.NamespacedName) error {
	err := c.written.Check(key)
	var stale *writes.StaleError
	if errors.As(err, &stale) {
		c.metrics.skipped(stale.Resource)
	}
	return err
}

// claim finds the pods of a set, in whatever phase, adopting and releasing on the
// way. A pod must have the set's name too.
func (c *statefulSets) claim(ctx context.Context, set *appsv1.StatefulSet, selector labels.Selector) ([]*corev1.Pod, error) {
	claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner: set, Kind: kind, ChildKind: "Pod", Selector: selector,
		Filter: func(pod *corev1.Pod) bool { return named(set, pod) },
		Fresh:  c.live(set),
		Patch: func(ctx context.Context, pod *corev1.Pod, patch []byte) error {
			patched, err := c.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			if err == nil && metav1.IsControlledBy(patched, set) {
				c.written.Wrote(set, podResource, patched)
			}
			return err
		},
	})
	candidates := c.pods.ControlledBy(set.Namespace, kind.Kind, set.Name, set.UID)
	return claimer.Claim(ctx, append(candidates, c.pods.Orphans(set.Namespace)...))
}

// syncSet takes a set one step further, writes how it stands, and trims its
// history. One that fails does not keep the next from being done.
func (c *statefulSets) syncSet(ctx context.Context, set *appsv1.StatefulSet, selector labels.Selector, pods []*corev1.Pod) error {
	h, err := c.history(ctx, set, selector)
	if err != nil {
		return err
	}
	r := c.newRound(set, h, pods)
	err = c.advance(ctx, r)
	if controller.IsStopping(ctx, err) {
		return err
	}
	errs := []error{err}
	if !r.mute && (err != nil || !r.provisional()) {
		errs = append(errs, c.report(ctx, r))
	}
	if set.DeletionTimestamp == nil {
		errs = append(errs, c.trim(ctx, set, h, pods))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if wait := set.Spec.MinReadySeconds; wait > 0 && r.status.ReadyReplicas != r.status.AvailableReplicas {
		c.queue.AddAfter(nameOf(set), podstate.NextAvailability(pods, wait, r.now, c.clock.Now()))
	}
	return nil
}
