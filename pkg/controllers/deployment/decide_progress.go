// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// hasDeadline says whether lack of progress is to be reported at all.
func hasDeadline(d *appsv1.Deployment) bool {
	return d.Spec.ProgressDeadlineSeconds != nil && *d.Spec.ProgressDeadlineSeconds != infinite
}

// begins says whether the current ReplicaSet was created since the last rollout was
// done, and its own is not written down yet: the condition tells of another one.
// A ReplicaSet that the Deployment returns to is older than that.
func begins(d *appsv1.Deployment, current *appsv1.ReplicaSet) bool {
	c := findCondition(&d.Status, appsv1.DeploymentProgressing)
	return hasDeadline(d) && c != nil && c.Reason == reasonNewReplicaSetAvailable &&
		!strings.Contains(c.Message, strconv.Quote(current.Name)) && !current.CreationTimestamp.Before(&c.LastUpdateTime)
}

func deadline(d *appsv1.Deployment, since *appsv1.DeploymentCondition) time.Time {
	return since.LastUpdateTime.Add(time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second)
}

// rolloutStatus is the plain status and how the rollout gets on, compared with
// the status the Deployment has.
func rolloutStatus(d *appsv1.Deployment, s *sets, countTerminating bool, now time.Time) appsv1.DeploymentStatus {
	status := plainStatus(d, s, countTerminating, now)
	if hasDeadline(d) {
		setProgress(d, &status, subject(d, s), now)
	} else {
		removeCondition(&status, appsv1.DeploymentProgressing)
	}
	if failure, found := replicaFailure(s); found {
		setCondition(&status, failure)
	} else {
		removeCondition(&status, appsv1.DeploymentReplicaFailure)
	}
	return status
}

// subject is what progresses, in messages.
func subject(d *appsv1.Deployment, s *sets) string {
	if s.current != nil {
		return fmt.Sprintf("ReplicaSet %q", s.current.Name)
	}
	return fmt.Sprintf("Deployment %q", d.Name)
}

func setProgress(d *appsv1.Deployment, status *appsv1.DeploymentStatus, subject string, now time.Time) {
	progress := func(s corev1.ConditionStatus, reason, what string) appsv1.DeploymentCondition {
		return condition(appsv1.DeploymentProgressing, s, reason, subject+" "+what, now)
	}
	before := findCondition(&d.Status, appsv1.DeploymentProgressing)
	if before != nil && before.Reason == reasonNewReplicaSetAvailable && status.Replicas == status.UpdatedReplicas {
		return // it was done; pods that fail later are not a rollout
	}
	switch {
	case complete(d, status):
		setCondition(status, progress(corev1.ConditionTrue, reasonNewReplicaSetAvailable, "has successfully progressed."))
	case progressed(&d.Status, status):
		// Every step counts as an update, or the deadline would pass.
		c := progress(corev1.ConditionTrue, reasonReplicaSetUpdated, "is progressing.")
		if before != nil && before.Status == corev1.ConditionTrue {
			c.LastTransitionTime = before.LastTransitionTime
		}
		removeCondition(status, appsv1.DeploymentProgressing)
		setCondition(status, c)
	case timedOut(d, status, now):
		setCondition(status, progress(corev1.ConditionFalse, reasonDeadlineExceeded, "has timed out progressing."))
	}
}

// progressed says whether there are more new pods, fewer old ones, or more that
// are ready or available.
func progressed(before, now *appsv1.DeploymentStatus) bool {
	return now.UpdatedReplicas > before.UpdatedReplicas ||
		now.Replicas-now.UpdatedReplicas < before.Replicas-before.UpdatedReplicas ||
		now.ReadyReplicas > before.ReadyReplicas ||
		now.AvailableReplicas > before.AvailableReplicas
}

// timedOut says whether the deadline is over. A rollout that is done cannot miss
// it any more, and one that missed it did so for good.
func timedOut(d *appsv1.Deployment, status *appsv1.DeploymentStatus, now time.Time) bool {
	c := findCondition(status, appsv1.DeploymentProgressing)
	switch {
	case c == nil, c.Reason == reasonNewReplicaSetAvailable:
		return false
	case c.Reason == reasonDeadlineExceeded:
		return true
	}
	return deadline(d, c).Before(now)
}

// untilDeadline is how long a rollout that does not move has left. It is false
// when there is nothing to wait for: no time that passes turns success into a
// failure.
func untilDeadline(d *appsv1.Deployment, now time.Time) (time.Duration, bool) {
	c := findCondition(&d.Status, appsv1.DeploymentProgressing)
	if !hasDeadline(d) || c == nil || complete(d, &d.Status) ||
		c.Reason == reasonDeadlineExceeded || c.Reason == reasonNewReplicaSetAvailable {
		return 0, false
	}
	return deadline(d, c).Sub(now), true
}
