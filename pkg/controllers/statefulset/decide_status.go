// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// begin is the status of a sync before it has done anything.
func (v *view) begin(pods []*corev1.Pod, collisions int32) appsv1.StatefulSetStatus {
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: v.set.Generation,
		CurrentRevision:    v.current,
		UpdateRevision:     v.update,
		CollisionCount:     ptr.To(collisions),
		Conditions:         v.set.Status.Conditions,
	}
	v.count(&status, pods)
	return status
}

// count puts the numbers of these pods into a status.
func (v *view) count(status *appsv1.StatefulSetStatus, pods []*corev1.Pod) {
	status.Replicas, status.ReadyReplicas, status.AvailableReplicas, status.CurrentReplicas, status.UpdatedReplicas = 0, 0, 0, 0, 0
	for _, pod := range pods {
		if serving(pod) {
			status.ReadyReplicas++
			if podstate.Available(pod, v.set.Spec.MinReadySeconds, v.now) {
				status.AvailableReplicas++
			}
		}
		if pod.Status.Phase == "" {
			continue
		}
		status.Replicas++
		if pod.DeletionTimestamp != nil {
			continue
		}
		revision := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
		if revision == v.current {
			status.CurrentReplicas++
		}
		if revision == v.update {
			status.UpdatedReplicas++
		}
	}
}

// pods of the view that were there when it was made.
func (v *view) pods() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, m := range slices.Concat(v.slots, v.condemned) {
		if m.pod != nil {
			pods = append(pods, m.pod)
		}
	}
	return pods
}

// complete turns the new revision into the current one when all pods the set
// wants are at it and ready, whatever the strategy.
func (v *view) complete(status *appsv1.StatefulSetStatus) {
	n := replicas(v.set)
	if status.UpdatedReplicas != n || status.ReadyReplicas != n || status.Replicas != n {
		return
	}
	status.CurrentReplicas = status.UpdatedReplicas
	status.CurrentRevision = status.UpdateRevision
	recreates := v.set.Spec.UpdateStrategy.Type == appsv1.RecreateStatefulSetStrategyType
	if recreates && slices.ContainsFunc(status.Conditions, func(c appsv1.StatefulSetCondition) bool { return c.Type == appsv1.StatefulSetProgressing }) {
		status.Conditions = withCondition(status.Conditions, recreated(), v.now)
	}
}

// newsworthy says whether a status is worth a write. A count of collisions alone
// is not, nor is an older generation.
func newsworthy(old, next *appsv1.StatefulSetStatus) bool {
	if next.ObservedGeneration > old.ObservedGeneration {
		return true
	}
	a, b := *old, *next
	for _, s := range []*appsv1.StatefulSetStatus{&a, &b} {
		s.ObservedGeneration, s.CollisionCount = 0, nil
	}
	return !equality.Semantic.DeepEqual(a, b)
}

// urgency of a new status of a set that wants n pods. Results are urgent: all pods
// are there, a revision or a condition changes, or pods are lost. How far it has
// come is not, and while pods are being deleted it is neither of these.
func urgency(old, next *appsv1.StatefulSetStatus, n int32, deleted bool) time.Duration {
	settled := next.Replicas == n && next.ReadyReplicas == n && next.AvailableReplicas == n
	lost := next.ReadyReplicas < old.ReadyReplicas || next.AvailableReplicas < old.AvailableReplicas
	switch {
	case !deleted && (settled || lost),
		old.CurrentRevision != next.CurrentRevision, old.UpdateRevision != next.UpdateRevision,
		ptr.Deref(old.CollisionCount, 0) != ptr.Deref(next.CollisionCount, 0),
		!equality.Semantic.DeepEqual(old.Conditions, next.Conditions):
		return pacing.Now
	}
	return pacing.Later
}
