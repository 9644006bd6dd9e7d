// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"math"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// view is what a status follows from.
type view struct {
	Spec       Spec
	Generation int64
	// Status is the one the owner has.
	Status appsv1.ReplicaSetStatus
	// Active are the owner's pods, as they were found before any was created
	// or deleted.
	Active []*corev1.Pod
	// Terminating is nil when such pods are not counted.
	Terminating *int32
	// Failure is why pods could not be created or deleted. A sync that did not
	// try has none.
	Failure error
	Now     time.Time
}

// next is the status the owner should have.
func (v view) next() appsv1.ReplicaSetStatus {
	next := v.Status
	next.Replicas = int32(len(v.Active))
	next.FullyLabeledReplicas, next.ReadyReplicas, next.AvailableReplicas = 0, 0, 0
	wanted := labels.Set(v.Spec.Template.Labels).AsSelectorPreValidated()
	for _, pod := range v.Active {
		if wanted.Matches(labels.Set(pod.Labels)) {
			next.FullyLabeledReplicas++
		}
		if podstate.Ready(pod) {
			next.ReadyReplicas++
		}
		if podstate.Available(pod, v.Spec.MinReadySeconds, v.Now) {
			next.AvailableReplicas++
		}
	}
	next.TerminatingReplicas = v.Terminating
	next.ObservedGeneration = v.Generation
	next.Conditions = v.conditions()
	return next
}

// urgency of a status, compared with the one that is written. A Deployment builds
// upon available replicas; that some are created, or are not ready yet, changes
// nothing for anybody.
func (v view) urgency(next appsv1.ReplicaSetStatus) time.Duration {
	settled := next.Replicas == v.Spec.Replicas && next.AvailableReplicas == next.Replicas
	switch {
	case settled, len(next.Conditions) != len(v.Status.Conditions), next.AvailableReplicas < v.Status.AvailableReplicas:
		return pacing.Now
	case next.AvailableReplicas > v.Status.AvailableReplicas:
		return pacing.Soon
	}
	return pacing.Later
}

// conditions are the owner's with ReplicaFailure as it should be. One that is
// there keeps its first reason while failures go on.
func (v view) conditions() []appsv1.ReplicaSetCondition {
	failed := func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure }
	if v.Failure == nil {
		return slices.DeleteFunc(slices.Clone(v.Status.Conditions), failed)
	}
	if slices.ContainsFunc(v.Status.Conditions, failed) {
		return v.Status.Conditions
	}
	reason := podcontrol.FailedCreate
	if len(v.Active) > int(v.Spec.Replicas) {
		reason = podcontrol.FailedDelete
	}
	return append(slices.Clone(v.Status.Conditions), appsv1.ReplicaSetCondition{
		Type:               appsv1.ReplicaSetReplicaFailure,
		Status:             corev1.ConditionTrue,
		LastTransitionTime: metav1.NewTime(v.Now),
		Reason:             reason,
		Message:            v.Failure.Error(),
	})
}

// ageRatios are, for each ready pod among the chosen, how many times its age
// holds the age of the youngest ready one of all. There are none while the
// youngest has no age yet.
func ageRatios(all, chosen []*corev1.Pod, now time.Time) []float64 {
	age := func(pod *corev1.Pod) int64 { return now.Sub(pod.CreationTimestamp.Time).Milliseconds() }
	youngest := int64(math.MaxInt64)
	for _, pod := range all {
		if podstate.Ready(pod) {
			youngest = min(youngest, age(pod))
		}
	}
	if youngest <= 0 {
		return nil
	}
	var ratios []float64
	for _, pod := range chosen {
		if podstate.Ready(pod) {
			ratios = append(ratios, float64(age(pod)/youngest))
		}
	}
	return ratios
}
