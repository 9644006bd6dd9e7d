// SPDX-License-Identifier: Apache-2.0

package replicationcontroller

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// statusOf is the status in the type of a ReplicaSet's, which has one field more.
func statusOf(rc *corev1.ReplicationController) appsv1.ReplicaSetStatus {
	s := rc.Status
	return appsv1.ReplicaSetStatus{
		Replicas:             s.Replicas,
		FullyLabeledReplicas: s.FullyLabeledReplicas,
		ReadyReplicas:        s.ReadyReplicas,
		AvailableReplicas:    s.AvailableReplicas,
		ObservedGeneration:   s.ObservedGeneration,
		Conditions:           each(s.Conditions, fromCondition),
	}
}

func toStatus(s appsv1.ReplicaSetStatus) corev1.ReplicationControllerStatus {
	return corev1.ReplicationControllerStatus{
		Replicas:             s.Replicas,
		FullyLabeledReplicas: s.FullyLabeledReplicas,
		ReadyReplicas:        s.ReadyReplicas,
		AvailableReplicas:    s.AvailableReplicas,
		ObservedGeneration:   s.ObservedGeneration,
		Conditions:           each(s.Conditions, toCondition),
	}
}

func fromCondition(c corev1.ReplicationControllerCondition) appsv1.ReplicaSetCondition {
	return appsv1.ReplicaSetCondition{
		Type:               appsv1.ReplicaSetConditionType(c.Type),
		Status:             c.Status,
		LastTransitionTime: c.LastTransitionTime,
		Reason:             c.Reason,
		Message:            c.Message,
	}
}

func toCondition(c appsv1.ReplicaSetCondition) corev1.ReplicationControllerCondition {
	return corev1.ReplicationControllerCondition{
		Type:               corev1.ReplicationControllerConditionType(c.Type),
		Status:             c.Status,
		LastTransitionTime: c.LastTransitionTime,
		Reason:             c.Reason,
		Message:            c.Message,
	}
}

// each keeps nil what is nil, so that a status that is read and written stays
// the same.
func each[A, B any](list []A, f func(A) B) []B {
	if list == nil {
		return nil
	}
	converted := make([]B, 0, len(list))
	for _, a := range list {
		converted = append(converted, f(a))
	}
	return converted
}
