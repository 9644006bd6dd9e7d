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

// progressing is a Progressing condition that last changed at the epoch.
func progressing(status corev1.ConditionStatus, reason string) *appsv1.DeploymentCondition {
	c := condition(appsv1.DeploymentProgressing, status, reason, "before", at(0))
	return &c
}

func TestRolloutStatus(t *testing.T) {
	withDeadline := func(seconds int32) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = &seconds }
	}
	for name, tc := range map[string]struct {
		d      *appsv1.Deployment
		before appsv1.DeploymentStatus // without conditions
		cond   *appsv1.DeploymentCondition
		s      *sets
		after  int // seconds since the condition was updated

		status           corev1.ConditionStatus
		reason, message  string
		updated, changed int // seconds; -1: there is no condition
	}{
		"complete": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 2)}, after: 1,
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "True", reason: "NewReplicaSetAvailable", message: `ReplicaSet "rs-9" has successfully progressed.`, updated: 1,
		},
		"complete after the deadline": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 2)}, after: 9,
			cond:   progressing("False", "ProgressDeadlineExceeded"),
			status: "True", reason: "NewReplicaSetAvailable", message: `ReplicaSet "rs-9" has successfully progressed.`, updated: 9, changed: 9,
		},
		"first step": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 1)}, after: 1,
			status: "True", reason: "ReplicaSetUpdated", message: `ReplicaSet "rs-9" is progressing.`, updated: 1, changed: 1,
		},
		"another step, same condition": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 1)}, after: 2,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 1},
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "True", reason: "ReplicaSetUpdated", message: `ReplicaSet "rs-9" is progressing.`, updated: 2,
		},
		"a step after the deadline": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 1)}, after: 9,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2},
			cond:   progressing("False", "ProgressDeadlineExceeded"),
			status: "True", reason: "ReplicaSetUpdated", message: `ReplicaSet "rs-9" is progressing.`, updated: 9, changed: 9,
		},
		"an old pod less is a step": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 1, 0), old: list(replicaSet(1, 1, 0))}, after: 9,
			before: appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 1},
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "True", reason: "ReplicaSetUpdated", message: `ReplicaSet "rs-9" is progressing.`, updated: 9,
		},
		"no step, at the deadline": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 0)}, after: 3,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2},
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "True", reason: "ReplicaSetUpdated", message: "before",
		},
		"no step, after the deadline": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 0)}, after: 4,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2},
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "False", reason: "ProgressDeadlineExceeded", message: `ReplicaSet "rs-9" has timed out progressing.`, updated: 4, changed: 4,
		},
		"no ReplicaSet": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{}, after: 4,
			cond:   progressing("True", "ReplicaSetUpdated"),
			status: "False", reason: "ProgressDeadlineExceeded", message: `Deployment "web" has timed out progressing.`, updated: 4, changed: 4,
		},
		"still late": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 0)}, after: 9,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2},
			cond:   progressing("False", "ProgressDeadlineExceeded"),
			status: "False", reason: "ProgressDeadlineExceeded", message: "before",
		},
		"pods lost after completion": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 2, 0)}, after: 9,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2},
			cond:   progressing("True", "NewReplicaSetAvailable"),
			status: "True", reason: "NewReplicaSetAvailable", message: "before",
		},
		"a new rollout without a step": {
			d: rolling(2, 0, 0, withDeadline(3)), s: &sets{current: replicaSet(9, 0, 0), old: list(replicaSet(1, 2, 2))}, after: 9,
			before: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 0, ReadyReplicas: 2, AvailableReplicas: 2},
			cond:   progressing("True", "NewReplicaSetAvailable"),
			status: "True", reason: "NewReplicaSetAvailable", message: "before",
		},
		"no deadline":       {d: rolling(2, 0, 0), s: &sets{current: replicaSet(9, 2, 0)}, cond: progressing("True", "X"), updated: -1},
		"infinite deadline": {d: rolling(2, 0, 0, withDeadline(infinite)), s: &sets{current: replicaSet(9, 2, 0)}, cond: progressing("True", "X"), updated: -1},
	} {
		t.Run(name, func(t *testing.T) {
			tc.d.Status = tc.before
			if tc.cond != nil {
				tc.d.Status.Conditions = []appsv1.DeploymentCondition{*tc.cond}
			}
			got := rolloutStatus(tc.d, tc.s, false, at(tc.after))
			c := findCondition(&got, appsv1.DeploymentProgressing)
			if tc.updated == -1 {
				if c != nil {
					t.Errorf("got %+v, want none", c)
				}
				return
			}
			want := &appsv1.DeploymentCondition{
				Type: "Progressing", Status: tc.status, Reason: tc.reason, Message: tc.message,
				LastUpdateTime: metav1.NewTime(at(tc.updated)), LastTransitionTime: metav1.NewTime(at(tc.changed)),
			}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFailureComesAndGoes(t *testing.T) {
	d := rolling(1, 0, 0)
	s := &sets{current: replicaSet(9, 1, 0)}
	s.current.Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: "True", Reason: "FailedCreate"}}
	d.Status = rolloutStatus(d, s, false, at(1))
	if c := findCondition(&d.Status, appsv1.DeploymentReplicaFailure); c == nil || c.Reason != "FailedCreate" {
		t.Errorf("got %+v", c)
	}
	s.current.Status.Conditions = nil
	d.Status = rolloutStatus(d, s, false, at(2))
	if c := findCondition(&d.Status, appsv1.DeploymentReplicaFailure); c != nil {
		t.Errorf("got %+v", c)
	}
}

func TestUntilDeadline(t *testing.T) {
	for _, tc := range []struct {
		reason   string
		deadline *int32
		at       int
		complete bool
		left     time.Duration
		waits    bool
	}{
		{reason: "ReplicaSetUpdated", deadline: ptr.To(int32(10)), at: 4, left: 6 * time.Second, waits: true},
		{reason: "ReplicaSetUpdated", deadline: ptr.To(int32(10)), at: 10, left: 0, waits: true},
		{reason: "DeploymentResumed", deadline: ptr.To(int32(10)), at: 4, left: 6 * time.Second, waits: true},
		{reason: "ReplicaSetUpdated", deadline: ptr.To(int32(10)), complete: true},
		{reason: "ProgressDeadlineExceeded", deadline: ptr.To(int32(10))},
		{reason: "NewReplicaSetAvailable", deadline: ptr.To(int32(10)), at: 999},
		{reason: "ReplicaSetUpdated"},
		{deadline: ptr.To(int32(10))},
	} {
		d := rolling(1, 0, 0)
		d.Spec.ProgressDeadlineSeconds = tc.deadline
		if tc.complete {
			d.Status = appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
		}
		if tc.reason != "" {
			d.Status.Conditions = []appsv1.DeploymentCondition{*progressing("True", tc.reason)}
		}
		left, waits := untilDeadline(d, at(tc.at))
		if left != tc.left || waits != tc.waits {
			t.Errorf("%+v: got %s, %t", tc, left, waits)
		}
	}
}

func TestComplete(t *testing.T) {
	done := appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}
	d := rolling(3, 0, 0)
	d.Generation = 2
	for name, tc := range map[string]struct {
		change func(*appsv1.DeploymentStatus)
		want   bool
	}{
		"all there":       {func(*appsv1.DeploymentStatus) {}, true},
		"old ones left":   {func(s *appsv1.DeploymentStatus) { s.Replicas = 4 }, false},
		"not all new":     {func(s *appsv1.DeploymentStatus) { s.UpdatedReplicas = 2 }, false},
		"not available":   {func(s *appsv1.DeploymentStatus) { s.AvailableReplicas = 2 }, false},
		"of another spec": {func(s *appsv1.DeploymentStatus) { s.ObservedGeneration = 1 }, false},
	} {
		status := done
		tc.change(&status)
		if got := complete(d, &status); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestBegins(t *testing.T) {
	deadlined := func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = ptr.To[int32](3) }
	done := `ReplicaSet "rs-1" has successfully progressed.`
	for name, tc := range map[string]struct {
		d               *appsv1.Deployment
		reason, message string
		name            string
		born            int // seconds since the condition was updated
		want            bool
	}{
		"created after":         {rolling(2, 0, 0, deadlined), reasonNewReplicaSetAvailable, done, "rs-2", 1, true},
		"created in the second": {rolling(2, 0, 0, deadlined), reasonNewReplicaSetAvailable, done, "rs-2", 0, true},
		"returned to":           {rolling(2, 0, 0, deadlined), reasonNewReplicaSetAvailable, done, "rs-2", -1, false},
		"the one that is done":  {rolling(2, 0, 0, deadlined), reasonNewReplicaSetAvailable, done, "rs-1", 0, false},
		"written already":       {rolling(2, 0, 0, deadlined), reasonReplicaSetUpdated, "", "rs-2", 1, false},
		"first":                 {rolling(2, 0, 0, deadlined), "", "", "rs-2", 1, false},
		"nobody asks":           {rolling(2, 0, 0), reasonNewReplicaSetAvailable, done, "rs-2", 1, false},
	} {
		if tc.reason != "" {
			setCondition(&tc.d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, tc.reason, tc.message, at(0)))
		}
		current := replicaSet(1, 1, 1)
		current.Name, current.CreationTimestamp = tc.name, metav1.NewTime(at(tc.born))
		if got := begins(tc.d, current); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
