// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// roll takes a step of a rolling update: either up with the current ReplicaSet
// or down with the old ones.
func (c *deployments) roll(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if err := c.ensureCurrent(ctx, d, s); err != nil {
		return err
	}
	if n := nextSize(d, s); n != size(s.current) {
		if err := c.resize(ctx, d, s, []resize{{s.current, n}}); err != nil {
			return err
		}
		c.reportRollout(d, s)
		return nil
	}
	moved, err := c.shrinkOld(ctx, d, s)
	if err != nil {
		c.reportRollout(d, s) // it must tell all the same how the rollout stands
		return err
	}
	if !moved {
		if err := c.cleanUpIfComplete(ctx, d, s); err != nil {
			return err
		}
	}
	c.reportRollout(d, s)
	return nil
}

// shrinkOld takes from the old ReplicaSets what a rolling update can spare: pods
// that are not available first, then others.
func (c *deployments) shrinkOld(ctx context.Context, d *appsv1.Deployment, s *sets) (moved bool, err error) {
	budget := dispensable(d, s)
	if budget == 0 {
		return false, nil
	}
	unhealthy, sure := dropUnhealthy(s.old, budget)
	if err := c.resize(ctx, d, s, unhealthy); err != nil {
		return false, err
	}
	if !sure {
		return len(unhealthy) > 0, nil
	}
	surplus := dropSurplus(d, s)
	if err := c.resize(ctx, d, s, surplus); err != nil {
		return false, err
	}
	return len(unhealthy)+len(surplus) > 0, nil
}

// recreate takes a step of the strategy Recreate: nothing of the new version
// runs before all of the old one has ended.
func (c *deployments) recreate(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if down := dropAll(s.old); len(down) > 0 {
		if err := c.resize(ctx, d, s, down); err != nil {
			return err
		}
		c.reportRollout(d, s)
		return nil
	}
	if podsRunning(s.old, c.podsOf(s.old)) {
		c.reportRollout(d, s)
		return nil
	}
	if err := c.ensureCurrent(ctx, d, s); err != nil {
		return err
	}
	if size(s.current) != desired(d) {
		if err := c.resize(ctx, d, s, []resize{{s.current, desired(d)}}); err != nil {
			return err
		}
	}
	if err := c.cleanUpIfComplete(ctx, d, s); err != nil {
		return err
	}
	c.reportRollout(d, s)
	return nil
}

func (c *deployments) podsOf(all []*appsv1.ReplicaSet) (pods []*corev1.Pod) {
	for _, rs := range all {
		pods = append(pods, c.pods.ControlledBy(rs.Namespace, "ReplicaSet", rs.Name, rs.UID)...)
	}
	return pods
}

// rescale sizes the ReplicaSets for the desired number without going on with
// the rollout.
func (c *deployments) rescale(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if err := c.resize(ctx, d, s, rescaled(d, s)); err != nil {
		return err
	}
	if _, rollback := rollbackTo(d); d.Spec.Paused && !rollback {
		if err := c.cleanUp(ctx, d, s); err != nil {
			return err
		}
	}
	c.reportPlain(d, s)
	return nil
}

// cleanUpIfComplete trims the history when the rollout is known to be done.
func (c *deployments) cleanUpIfComplete(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if !complete(d, &d.Status) {
		return nil
	}
	return c.cleanUp(ctx, d, s)
}

func (c *deployments) cleanUp(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	for _, rs := range expired(d, s.old) {
		err := c.client.AppsV1().ReplicaSets(rs.Namespace).Delete(ctx, rs.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
