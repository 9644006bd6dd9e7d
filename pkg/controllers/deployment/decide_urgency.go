// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// urgency of the status of d, compared with the one that is written. Results are
// urgent: a rollout that is done, conditions that say something new, and what
// the next sync must know. How many replicas there are just now is not.
func urgency(written, d *appsv1.Deployment) time.Duration {
	switch {
	case complete(d, &d.Status), selectsAll(d),
		!maps.Equal(written.Annotations, d.Annotations),
		!ptr.Equal(written.Status.CollisionCount, d.Status.CollisionCount),
		news(&written.Status, &d.Status):
		return pacing.Now
	}
	return pacing.Later
}

// news says whether a condition is gone, is there for the first time, or says
// something else.
func news(before, now *appsv1.DeploymentStatus) bool {
	for i := range before.Conditions {
		if findCondition(now, before.Conditions[i].Type) == nil {
			return true
		}
	}
	for i := range now.Conditions {
		c := &now.Conditions[i]
		old := findCondition(before, c.Type)
		if old == nil || (old.Status != c.Status || old.Reason != c.Reason) && !routine(old, c) {
			return true
		}
	}
	return false
}

// routine says whether a condition only tells that a rollout is still on its way.
// That one begins must be written: when it is done, nothing else tells it from
// the one before.
func routine(old, c *appsv1.DeploymentCondition) bool {
	return c.Type == appsv1.DeploymentProgressing && c.Reason == reasonReplicaSetUpdated &&
		old.Status == corev1.ConditionTrue && old.Reason != reasonNewReplicaSetAvailable
}
