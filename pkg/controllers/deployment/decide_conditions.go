// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func condition(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason, message string, now time.Time) appsv1.DeploymentCondition {
	return appsv1.DeploymentCondition{
		Type: kind, Status: status, Reason: reason, Message: message,
		LastUpdateTime: metav1.NewTime(now), LastTransitionTime: metav1.NewTime(now),
	}
}

// findCondition is the condition of a type, or nil. It is for reading only.
func findCondition(status *appsv1.DeploymentStatus, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == kind {
			return &status.Conditions[i]
		}
	}
	return nil
}

// setCondition puts a condition in the place of the one of its type, unless that
// has the same status and reason already; then it is false. The latest change
// comes to stand last.
func setCondition(status *appsv1.DeploymentStatus, c appsv1.DeploymentCondition) bool {
	if old := findCondition(status, c.Type); old != nil {
		if old.Status == c.Status && old.Reason == c.Reason {
			return false
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
	}
	removeCondition(status, c.Type)
	status.Conditions = append(status.Conditions, c)
	return true
}

func removeCondition(status *appsv1.DeploymentStatus, kind appsv1.DeploymentConditionType) {
	status.Conditions = slices.DeleteFunc(slices.Clone(status.Conditions), func(c appsv1.DeploymentCondition) bool {
		return c.Type == kind
	})
}

// pauseCondition reports that a rollout was paused or resumed, so that the
// deadline does not count the time between. It is false when there is nothing to
// report; that progress was lacking before is more important.
func pauseCondition(d *appsv1.Deployment, now time.Time) (appsv1.DeploymentCondition, bool) {
	var none appsv1.DeploymentCondition
	if !hasDeadline(d) {
		return none, false
	}
	reason := ""
	if c := findCondition(&d.Status, appsv1.DeploymentProgressing); c != nil {
		reason = c.Reason
	}
	switch {
	case reason == reasonDeadlineExceeded:
	case d.Spec.Paused && reason != reasonPaused:
		return condition(appsv1.DeploymentProgressing, corev1.ConditionUnknown, reasonPaused, "Deployment is paused", now), true
	case !d.Spec.Paused && reason == reasonPaused:
		return condition(appsv1.DeploymentProgressing, corev1.ConditionUnknown, reasonResumed, "Deployment is resumed", now), true
	}
	return none, false
}
