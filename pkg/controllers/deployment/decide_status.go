// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// plainStatus counts, and judges the availability. It says nothing new about
// the progress.
func plainStatus(d *appsv1.Deployment, s *sets, countTerminating bool, now time.Time) appsv1.DeploymentStatus {
	all := s.all()
	status := appsv1.DeploymentStatus{
		ObservedGeneration:  d.Generation,
		Replicas:            sum(all, existing),
		ReadyReplicas:       sum(all, ready),
		AvailableReplicas:   sum(all, available),
		UnavailableReplicas: max(0, sum(all, size)-sum(all, available)),
		CollisionCount:      d.Status.CollisionCount,
		Conditions:          slices.Clone(d.Status.Conditions),
	}
	if s.current != nil {
		status.UpdatedReplicas = existing(s.current)
	}
	if countTerminating {
		status.TerminatingReplicas = terminating(all)
	}
	if status.AvailableReplicas >= minAvailable(d) {
		setCondition(&status, condition(appsv1.DeploymentAvailable, corev1.ConditionTrue, reasonAvailable,
			"Deployment has minimum availability.", now))
	} else {
		setCondition(&status, condition(appsv1.DeploymentAvailable, corev1.ConditionFalse, reasonUnavailable,
			"Deployment does not have minimum availability.", now))
	}
	return status
}

// terminating is how many pods are being deleted, or nil when a ReplicaSet does
// not tell. One that was never looked at has none.
func terminating(all []*appsv1.ReplicaSet) *int32 {
	n := ptr.To(int32(0))
	for _, rs := range all {
		switch {
		case rs.Status.TerminatingReplicas != nil:
			*n += *rs.Status.TerminatingReplicas
		case rs.Status.ObservedGeneration != 0:
			return nil
		}
	}
	return n
}

// complete says whether a rollout is done: all pods there are, are new and
// available, and they are as many as desired.
func complete(d *appsv1.Deployment, status *appsv1.DeploymentStatus) bool {
	return status.UpdatedReplicas == desired(d) && status.Replicas == desired(d) &&
		status.AvailableReplicas == desired(d) && status.ObservedGeneration >= d.Generation
}

// replicaFailure is why pods cannot be created, if a ReplicaSet says so. The
// current one is asked first.
func replicaFailure(s *sets) (appsv1.DeploymentCondition, bool) {
	all := s.all()
	if s.current != nil {
		all = append([]*appsv1.ReplicaSet{s.current}, all...)
	}
	for _, rs := range all {
		for _, c := range rs.Status.Conditions {
			if c.Type != appsv1.ReplicaSetReplicaFailure {
				continue
			}
			return appsv1.DeploymentCondition{
				Type: appsv1.DeploymentReplicaFailure, Status: c.Status, Reason: c.Reason, Message: c.Message,
				LastUpdateTime: c.LastTransitionTime, LastTransitionTime: c.LastTransitionTime,
			}, true
		}
	}
	return appsv1.DeploymentCondition{}, false
}
