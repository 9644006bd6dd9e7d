// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

func TestUrgency(t *testing.T) {
	progress := func(s corev1.ConditionStatus, reason string) func(d *appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			setCondition(&d.Status, condition(appsv1.DeploymentProgressing, s, reason, "", at(1)))
		}
	}
	available := func(s corev1.ConditionStatus, reason string) func(d *appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			setCondition(&d.Status, condition(appsv1.DeploymentAvailable, s, reason, "", at(1)))
		}
	}
	replicas := func(n, updated, available int32) func(d *appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas = n, updated, available
		}
	}
	for name, tc := range map[string]struct {
		change func(d *appsv1.Deployment)
		want   time.Duration
		// derived is what is wanted when the beginning of the rollout is.
		derived time.Duration
	}{
		"counts":     {replicas(4, 1, 3), pacing.Later, pacing.Later},
		"generation": {func(d *appsv1.Deployment) { d.Status.ObservedGeneration = 7 }, pacing.Later, pacing.Later},
		"begins":     {progress(corev1.ConditionTrue, reasonReplicaSetUpdated), pacing.Now, pacing.Later},
		"done":       {replicas(3, 3, 3), pacing.Now, pacing.Now},
		"created":    {progress(corev1.ConditionTrue, reasonNewReplicaSetCreated), pacing.Now, pacing.Later},
		"deadline":   {progress(corev1.ConditionFalse, reasonDeadlineExceeded), pacing.Now, pacing.Now},
		"not so many available": {func(d *appsv1.Deployment) {
			available(corev1.ConditionFalse, reasonUnavailable)(d)
			replicas(3, 0, 2)(d)
		}, pacing.Now, pacing.Now},
		"more wanted":          {available(corev1.ConditionFalse, reasonUnavailable), pacing.Later, pacing.Later},
		"paused":               {progress(corev1.ConditionUnknown, reasonPaused), pacing.Now, pacing.Now},
		"failure that is over": {func(d *appsv1.Deployment) { removeCondition(&d.Status, appsv1.DeploymentReplicaFailure) }, pacing.Now, pacing.Now},
		"revision":             {func(d *appsv1.Deployment) { setRevision(d, "2") }, pacing.Later, pacing.Later},
		"collision":            {func(d *appsv1.Deployment) { d.Status.CollisionCount = ptr.To[int32](1) }, pacing.Now, pacing.Now},
	} {
		t.Run(name, func(t *testing.T) {
			written := rolling(3, 0, 1)
			replicas(3, 0, 3)(written)
			progress(corev1.ConditionTrue, reasonNewReplicaSetAvailable)(written)
			available(corev1.ConditionTrue, reasonAvailable)(written)
			setCondition(&written.Status, condition(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "FailedCreate", "", at(1)))
			d := written.DeepCopy()
			tc.change(d)
			if got := urgency(written, d, false); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if got := urgency(written, d, true); got != tc.derived {
				t.Errorf("got %s, want %s when it can be derived", got, tc.derived)
			}
		})
	}
}

func TestStepsOfARolloutAreNotUrgent(t *testing.T) {
	for _, before := range []string{reasonNewReplicaSetCreated, reasonFoundNewReplicaSet, reasonReplicaSetUpdated} {
		written, d := rolling(3, 0, 1), rolling(3, 0, 1)
		setCondition(&written.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, before, "", at(1)))
		setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonReplicaSetUpdated, "", at(1)))
		if got := urgency(written, d, false); got != pacing.Later {
			t.Errorf("after %s: %s", before, got)
		}
	}
}
