// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// urgency of the status of d, compared with the one that is written. Results are
// urgent: a rollout that is done, conditions that say something new, and what
// the next sync must know. How many replicas there are just now is not. The
// revision follows from the current ReplicaSet; derived says that so does the
// beginning of the rollout.
func urgency(written, d *appsv1.Deployment, derived bool) time.Duration {
	switch {
	case complete(d, &d.Status), selectsAll(d),
		!ptr.Equal(written.Status.CollisionCount, d.Status.CollisionCount),
		news(&written.Status, &d.Status, derived):
		return pacing.Now
	}
	return pacing.Later
}

// news says whether a condition is gone, is there for the first time, or says
// something else.
func news(before, now *appsv1.DeploymentStatus, derived bool) bool {
	for i := range before.Conditions {
		if findCondition(now, before.Conditions[i].Type) == nil {
			return true
		}
	}
	for i := range now.Conditions {
		c := &now.Conditions[i]
		old := findCondition(before, c.Type)
		switch {
		case old == nil:
			return true
		case old.Status == c.Status && old.Reason == c.Reason:
		case c.Type == appsv1.DeploymentAvailable && c.Status == corev1.ConditionFalse && now.AvailableReplicas >= before.AvailableReplicas:
			// It has not got worse: more are wanted.
		case c.Type == appsv1.DeploymentProgressing && routine(old, c, derived):
		default:
			return true
		}
	}
	return false
}

// routine says whether a condition only tells that a rollout is still on its way.
// That one begins must be written unless it can be derived: when it is done,
// nothing else tells it from the one before.
func routine(old, c *appsv1.DeploymentCondition, derived bool) bool {
	switch {
	case old.Status != corev1.ConditionTrue:
		return false
	case old.Reason == reasonNewReplicaSetAvailable:
		return derived && (c.Reason == reasonNewReplicaSetCreated || c.Reason == reasonReplicaSetUpdated)
	}
	return c.Reason == reasonReplicaSetUpdated
}
