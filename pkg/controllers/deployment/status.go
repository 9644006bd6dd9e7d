// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// deadlineSlack is how long after a deadline it is looked at: times in the API
// are whole seconds.
const deadlineSlack = time.Second

// reportPlain writes the counts and the availability.
func (c *deployments) reportPlain(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	_, err := c.report(ctx, d, plainStatus(d, s, c.terminating, c.clock.Now()))
	return err
}

// reportRollout writes the progress too. When there is none, it comes back at
// the deadline.
func (c *deployments) reportRollout(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	now := c.clock.Now()
	changed, err := c.report(ctx, d, rolloutStatus(d, s, c.terminating, now))
	if err != nil || changed {
		return err
	}
	if left, waits := untilDeadline(d, now); waits {
		c.queue.AddAfter(keyOf(d), max(left, 0)+deadlineSlack)
	}
	return nil
}

// report writes a status that is not the one the Deployment has.
func (c *deployments) report(ctx context.Context, d *appsv1.Deployment, status appsv1.DeploymentStatus) (changed bool, err error) {
	if apiequality.Semantic.DeepEqual(d.Status, status) {
		return false, nil
	}
	d.Status = status
	return true, c.writeStatus(ctx, d)
}
