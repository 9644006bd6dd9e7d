// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// sync takes a DaemonSet one step further. In a namespace that terminates nothing
// can be created, which is no failure.
func (c *daemonSets) sync(ctx context.Context, key types.NamespacedName) error {
	if err := c.fresh(key); err != nil {
		return err
	}
	ds, found := c.sets.Get(key.Namespace, key.Name)
	if !found {
		c.expected.ForgetName(key)
		c.written.ForgetName(key)
		return nil
	}
	if selectsAll(ds) {
		c.recorder.Event(ds, corev1.EventTypeWarning, reasonSelectingAll, "This daemon set is selecting all pods. A non-empty selector is required.")
		return nil
	}
	if ds.DeletionTimestamp != nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	if err != nil {
		c.logger.Error(err, "The selector is invalid, waiting for a change", "daemonSet", klog.KObj(ds))
		return nil
	}
	err = c.step(ctx, ds, selector)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

func selectsAll(ds *appsv1.DaemonSet) bool {
	return ds.Spec.Selector == nil || len(ds.Spec.Selector.MatchLabels)+len(ds.Spec.Selector.MatchExpressions) == 0
}

// fresh is nil when the caches show what was last written for the DaemonSet.
func (c *daemonSets) fresh(key types.NamespacedName) error {
	err := c.written.Check(key)
	var stale *writes.StaleError
	if errors.As(err, &stale) {
		c.metrics.skipped(stale.Resource)
	}
	return err
}

func (c *daemonSets) step(ctx context.Context, ds *appsv1.DaemonSet, selector labels.Selector) error {
	past, err := c.revise(ctx, ds, selector)
	if err != nil {
		return fmt.Errorf("failed to construct revisions of DaemonSet: %w", err)
	}
	// To be asked before the pods are read: what is observed after this moment
	// may be missing among them.
	settled := c.expected.Satisfied(ds)
	pods, err := c.claim(ctx, ds, selector)
	if err != nil {
		return err
	}
	v := newView(ds, past.hash(), c.clock.Now(), newRules(ds, c.comparison), c.nodes.List(), pods)
	if !settled {
		return c.report(ctx, v, false)
	}
	done, failure := c.advance(ctx, v)
	if failure == nil {
		failure = c.cleanUp(ctx, ds, past.old, pods)
	}
	if controller.IsStopping(ctx, failure) {
		return failure
	}
	if failure == nil && done > 0 {
		// The events of these pods bring the DaemonSet back at once, and what
		// could be said now would be outdated by then.
		return nil
	}
	if err := c.report(ctx, v, true); failure == nil {
		failure = err
	}
	return failure
}

// advance creates and deletes pods, and says how many. The template's update waits
// until there is nothing else to do: it counts on what it sees.
func (c *daemonSets) advance(ctx context.Context, v view) (int, error) {
	p := v.manage(func(node string) time.Duration { return c.waits(v.Set, node) })
	if p.Retry > 0 {
		c.queue.AddAfter(name(v.Set), p.Retry)
	}
	done, err := c.carryOut(ctx, v, p.limited())
	if err != nil || !p.empty() || v.Set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateDaemonSetStrategyType {
		return done, err
	}
	if p, err = v.roll(); err != nil {
		return 0, err
	}
	return c.carryOut(ctx, v, p.limited())
}

// claim finds the pods that belong to the DaemonSet, in any state, adopting and
// releasing on the way.
func (c *daemonSets) claim(ctx context.Context, ds *appsv1.DaemonSet, selector labels.Selector) ([]*corev1.Pod, error) {
	claimer := ownerref.NewClaimer(ownerref.Options[*corev1.Pod]{
		Owner: ds, Kind: groupVersionKind(), ChildKind: "Pod", Selector: selector,
		Fresh: c.live(ds),
		Patch: func(ctx context.Context, pod *corev1.Pod, patch []byte) error {
			return c.patch(ctx, ds, pod, types.StrategicMergePatchType, patch)
		},
	})
	own := c.pods.ControlledBy(ds.Namespace, kind, ds.Name, ds.UID)
	return claimer.Claim(ctx, append(own, c.pods.Orphans(ds.Namespace)...))
}

// live reads a DaemonSet from the API server.
func (c *daemonSets) live(ds *appsv1.DaemonSet) func(context.Context) (metav1.Object, error) {
	return func(ctx context.Context) (metav1.Object, error) {
		return c.client.AppsV1().DaemonSets(ds.Namespace).Get(ctx, ds.Name, metav1.GetOptions{})
	}
}

func (c *daemonSets) patch(ctx context.Context, ds *appsv1.DaemonSet, pod *corev1.Pod, format types.PatchType, patch []byte) error {
	patched, err := c.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, format, patch, metav1.PatchOptions{})
	if err == nil && metav1.IsControlledBy(patched, ds) {
		c.written.Wrote(ds, podResource(), patched)
	}
	return err
}
