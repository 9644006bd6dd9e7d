// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// at is so many seconds after the epoch.
func at(seconds int) time.Time { return epoch().Add(time.Duration(seconds) * time.Second) }

func TestPlainStatus(t *testing.T) {
	d := rolling(10, 0, 2)
	d.Generation = 4
	d.Status.CollisionCount = ptr.To(int32(3))
	s := &sets{current: replicaSet(9, 4, 3), old: list(replicaSet(1, 5, 5), replicaSet(2, 0, 0))}
	s.old[0].Status.ReadyReplicas = 6
	s.old[0].Status.Replicas = 7
	got := plainStatus(d, s, true, at(5))
	want := appsv1.DeploymentStatus{
		ObservedGeneration: 4, Replicas: 11, UpdatedReplicas: 4, ReadyReplicas: 9, AvailableReplicas: 8, UnavailableReplicas: 1,
		CollisionCount: ptr.To(int32(3)), TerminatingReplicas: ptr.To(int32(0)),
		Conditions: []appsv1.DeploymentCondition{{
			Type: "Available", Status: "True", Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability.",
			LastUpdateTime: metav1.NewTime(at(5)), LastTransitionTime: metav1.NewTime(at(5)),
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.current.Status.AvailableReplicas = 2
	got = plainStatus(d, s, false, at(6))
	if c := got.Conditions[0]; c.Status != "False" || c.Reason != "MinimumReplicasUnavailable" || c.Message != "Deployment does not have minimum availability." {
		t.Errorf("got %+v", c)
	}
	if got.TerminatingReplicas != nil {
		t.Error("counted without the gate")
	}
}

func TestTerminating(t *testing.T) {
	tells := func(n int32) func(*appsv1.ReplicaSet) {
		return func(rs *appsv1.ReplicaSet) { rs.Status.TerminatingReplicas = &n }
	}
	seen := func(rs *appsv1.ReplicaSet) { rs.Status.ObservedGeneration = 1 }
	for name, tc := range map[string]struct {
		all  []*appsv1.ReplicaSet
		want *int32
	}{
		"none":                  {nil, ptr.To(int32(0))},
		"sum":                   {list(replicaSet(1, 0, 0, tells(2)), replicaSet(2, 0, 0, tells(4), seen)), ptr.To(int32(6))},
		"new one is nothing":    {list(replicaSet(1, 0, 0), replicaSet(2, 0, 0, tells(4))), ptr.To(int32(4))},
		"one that says nothing": {list(replicaSet(1, 0, 0, seen), replicaSet(2, 0, 0, tells(4))), nil},
	} {
		if diff := cmp.Diff(tc.want, terminating(tc.all)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSetCondition(t *testing.T) {
	progressing := condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "A", "a", at(1))
	other := condition(appsv1.DeploymentAvailable, corev1.ConditionTrue, "X", "x", at(1))
	status := appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{progressing, other}}

	setCondition(&status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "A", "another message", at(2)))
	if diff := cmp.Diff([]appsv1.DeploymentCondition{progressing, other}, status.Conditions); diff != "" {
		t.Errorf("same status and reason: %s", diff)
	}
	setCondition(&status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "B", "b", at(3)))
	want := condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "B", "b", at(3))
	want.LastTransitionTime = metav1.NewTime(at(1))
	if diff := cmp.Diff([]appsv1.DeploymentCondition{other, want}, status.Conditions); diff != "" {
		t.Errorf("same status: %s", diff)
	}
	last := condition(appsv1.DeploymentProgressing, corev1.ConditionFalse, "B", "b", at(4))
	setCondition(&status, last)
	if diff := cmp.Diff([]appsv1.DeploymentCondition{other, last}, status.Conditions); diff != "" {
		t.Errorf("other status: %s", diff)
	}
	removeCondition(&status, appsv1.DeploymentProgressing)
	if diff := cmp.Diff([]appsv1.DeploymentCondition{other}, status.Conditions); diff != "" {
		t.Errorf("removed: %s", diff)
	}
}

func TestReplicaFailure(t *testing.T) {
	fails := func(reason string) func(*appsv1.ReplicaSet) {
		return func(rs *appsv1.ReplicaSet) {
			rs.Status.Conditions = []appsv1.ReplicaSetCondition{{
				Type: appsv1.ReplicaSetReplicaFailure, Status: "True", Reason: reason, Message: "no quota", LastTransitionTime: metav1.NewTime(at(7)),
			}}
		}
	}
	for _, tc := range []struct {
		s    *sets
		want string
	}{
		{&sets{current: replicaSet(9, 1, 0), old: list(replicaSet(1, 1, 1))}, ""},
		{&sets{current: replicaSet(9, 1, 0), old: list(replicaSet(1, 1, 1), replicaSet(2, 1, 0, fails("Old")))}, "Old"},
		{&sets{current: replicaSet(9, 1, 0, fails("Current")), old: list(replicaSet(1, 1, 0, fails("Old")))}, "Current"},
		{&sets{old: list(replicaSet(1, 1, 0, fails("Old")))}, "Old"},
	} {
		c, found := replicaFailure(tc.s)
		if found != (tc.want != "") || c.Reason != tc.want {
			t.Errorf("got %+v, want %q", c, tc.want)
		}
		if found && (!c.LastUpdateTime.Equal(&metav1.Time{Time: at(7)}) || c.Message != "no quota" || c.Type != "ReplicaFailure") {
			t.Errorf("got %+v", c)
		}
	}
}

func TestPauseCondition(t *testing.T) {
	for _, tc := range []struct {
		paused   bool
		deadline *int32
		before   string
		want     string
	}{
		{true, ptr.To(int32(600)), "", "DeploymentPaused"},
		{true, ptr.To(int32(600)), "ReplicaSetUpdated", "DeploymentPaused"},
		{true, ptr.To(int32(600)), "DeploymentPaused", ""},
		{true, ptr.To(int32(600)), "ProgressDeadlineExceeded", ""},
		{true, nil, "", ""},
		{true, ptr.To(int32(infinite)), "", ""},
		{false, ptr.To(int32(600)), "DeploymentPaused", "DeploymentResumed"},
		{false, ptr.To(int32(600)), "DeploymentResumed", ""},
		{false, ptr.To(int32(600)), "", ""},
	} {
		d := rolling(1, 0, 0)
		d.Spec.Paused, d.Spec.ProgressDeadlineSeconds = tc.paused, tc.deadline
		if tc.before != "" {
			setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionUnknown, tc.before, "", at(0)))
		}
		c, changed := pauseCondition(d, at(1))
		if changed != (tc.want != "") || c.Reason != tc.want || changed && c.Status != corev1.ConditionUnknown {
			t.Errorf("%+v: got %+v", tc, c)
		}
	}
}
