// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

// sync takes a Deployment one step further. In a namespace that terminates
// nothing can be created, which is no failure.
func (c *deployments) sync(ctx context.Context, k key) error {
	cached, found := c.deployments.Get(k.namespace, k.name)
	if !found {
		c.pacer.Forget(k)
		return nil
	}
	err := c.syncDeployment(ctx, cached)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

// syncDeployment writes what a step led to even if the step failed.
func (c *deployments) syncDeployment(ctx context.Context, cached *appsv1.Deployment) error {
	d := cached.DeepCopy()
	current, err := c.advance(ctx, d)
	return errors.Join(err, c.save(ctx, cached, d, current))
}

// advance brings d's status and annotations, which are not written yet, up to
// date. It returns the current ReplicaSet, if there is one.
func (c *deployments) advance(ctx context.Context, d *appsv1.Deployment) (current *appsv1.ReplicaSet, err error) {
	if selectsAll(d) {
		c.recorder.Event(d, corev1.EventTypeWarning, reasonSelectingAll, "This deployment is selecting all pods. A non-empty selector is required.")
		d.Status.ObservedGeneration = max(d.Status.ObservedGeneration, d.Generation)
		return nil, nil
	}
	claimed, err := c.claim(ctx, d)
	if err != nil {
		return nil, err
	}
	s := split(claimed, func(rs *appsv1.ReplicaSet) bool { return c.templates.same(d, rs) })
	defer func() { current = s.current }()
	if d.DeletionTimestamp != nil {
		if err := c.syncCurrent(ctx, d, s); err != nil {
			return nil, err
		}
		c.reportPlain(d, s)
		return nil, nil
	}
	if pause, changed := pauseCondition(d, c.clock.Now()); changed {
		setCondition(&d.Status, pause)
	}
	if err := c.syncCurrent(ctx, d, s); err != nil {
		return nil, err
	}
	return nil, c.step(ctx, d, s)
}

// step chooses what the Deployment needs most.
func (c *deployments) step(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if d.Spec.Paused {
		return c.rescale(ctx, d, s)
	}
	if revision, wanted := rollbackTo(d); wanted {
		return c.rollback(ctx, d, s, revision)
	}
	if wasScaled(d, s) {
		return c.rescale(ctx, d, s)
	}
	switch d.Spec.Strategy.Type {
	case appsv1.RecreateDeploymentStrategyType:
		return c.recreate(ctx, d, s)
	case appsv1.RollingUpdateDeploymentStrategyType:
		return c.roll(ctx, d, s)
	}
	return fmt.Errorf("unexpected deployment strategy type: %s", d.Spec.Strategy.Type)
}

func selectsAll(d *appsv1.Deployment) bool {
	return d.Spec.Selector == nil || len(d.Spec.Selector.MatchLabels)+len(d.Spec.Selector.MatchExpressions) == 0
}

// claim makes sure which ReplicaSets are the Deployment's.
func (c *deployments) claim(ctx context.Context, d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("deployment %s/%s has invalid label selector: %w", d.Namespace, d.Name, err)
	}
	client := c.client.AppsV1()
	claimer := ownerref.NewClaimer(ownerref.Options[*appsv1.ReplicaSet]{
		Owner: d, Kind: groupVersionKind(), ChildKind: "ReplicaSet", Selector: selector,
		Fresh: func(ctx context.Context) (metav1.Object, error) {
			return client.Deployments(d.Namespace).Get(ctx, d.Name, metav1.GetOptions{})
		},
		Patch: func(ctx context.Context, rs *appsv1.ReplicaSet, patch []byte) error {
			_, err := client.ReplicaSets(rs.Namespace).Patch(ctx, rs.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			return err
		},
	})
	own := c.replicaSets.ControlledBy(d.Namespace, kind, d.Name, d.UID)
	return claimer.Claim(ctx, append(own, c.replicaSets.Orphans(d.Namespace)...))
}
