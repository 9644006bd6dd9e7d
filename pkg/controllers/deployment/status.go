// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
func (c *deployments) save(ctx context.Context, cached, d *appsv1.Deployment, current *appsv1.ReplicaSet) error {
	k := keyOf(d)
	switch {
	case d.ResourceVersion != cached.ResourceVersion:
		return nil // written already, and with more than that
	case apiequality.Semantic.DeepEqual(d.Status, cached.Status) && maps.Equal(d.Annotations, cached.Annotations):
		c.pacer.Forget(k)
		return nil
	}
	if left := c.pacer.Hold(k, urgency(cached, d, current != nil && begins(cached, current))); left > 0 {
		c.queue.AddAfter(k, left)
		return nil
	}
	_, err := c.client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
	if progress := findCondition(&d.Status, appsv1.DeploymentProgressing); apierrors.IsConflict(err) && progress != nil && progress.Reason == reasonNewReplicaSetCreated {
		c.reportCreated(ctx, d, *progress)
	}
	return err
}

// reportCreated reports that a ReplicaSet was created on the Deployment as it is
// now, when the cache was behind: no later sync knows that there is something to
// report, and the condition would tell of the rollout before for ever. What else
// that sync wanted is left to the next one.
func (c *deployments) reportCreated(ctx context.Context, d *appsv1.Deployment, progress appsv1.DeploymentCondition) {
	client := c.client.AppsV1().Deployments(d.Namespace)
	fresh, err := client.Get(ctx, d.Name, metav1.GetOptions{})
	if err != nil || fresh.UID != d.UID || fresh.Generation != d.Generation {
		return
	}
	setRevision(fresh, d.Annotations[revisionAnnotation])
	setCondition(&fresh.Status, progress)
	_, _ = client.UpdateStatus(ctx, fresh, metav1.UpdateOptions{}) // the conflict is the error that counts
}
