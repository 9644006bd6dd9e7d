// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deadlineSlack is how long after a deadline it is looked at: times in the API
// are whole seconds.
const deadlineSlack = time.Second

// reportPlain counts, and judges the availability.
func (c *deployments) reportPlain(d *appsv1.Deployment, s *sets) {
	d.Status = plainStatus(d, s, c.terminating, c.clock.Now())
}

// reportRollout judges the progress too. When there is none, it comes back at the
// deadline.
func (c *deployments) reportRollout(d *appsv1.Deployment, s *sets) {
	now := c.clock.Now()
	status := rolloutStatus(d, s, c.terminating, now)
	if left, waits := untilDeadline(d, now); waits && apiequality.Semantic.DeepEqual(d.Status, status) {
		c.queue.AddAfter(keyOf(d), max(left, 0)+deadlineSlack)
	}
	d.Status = status
}

// save writes the status, and with it the annotations, which the status
// subresource of Deployments takes too: now, or when the steps in between have
// waited long enough.
func (c *deployments) save(ctx context.Context, cached, d *appsv1.Deployment) error {
	k := keyOf(d)
	switch {
	case d.ResourceVersion != cached.ResourceVersion:
		return nil // written already, and with more than that
	case apiequality.Semantic.DeepEqual(d.Status, cached.Status) && maps.Equal(d.Annotations, cached.Annotations):
		c.pacer.Forget(k)
		return nil
	}
	if left := c.pacer.Hold(k, urgency(cached, d)); left > 0 {
		c.queue.AddAfter(k, left)
		return nil
	}
	_, err := c.client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return err
}
