// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func labelled(key, value string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", key: value}}}
}

func ready(ago time.Duration) *corev1.Pod {
	p := labelled("app", "web")
	p.CreationTimestamp = metav1.NewTime(noon.Add(-ago))
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon.Add(-ago))}}
	return p
}

func spec(replicas, minReadySeconds int32, extra ...string) Spec {
	t := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}}
	for _, l := range extra {
		t.Labels[l] = "x"
	}
	return Spec{Replicas: replicas, MinReadySeconds: minReadySeconds, Template: t}
}

func TestCounts(t *testing.T) {
	plain := labelled("app", "web")
	tests := []struct {
		name string
		view view
		want appsv1.ReplicaSetStatus
	}{
		{"nothing", view{Spec: spec(3, 0)}, appsv1.ReplicaSetStatus{}},
		{
			"nothing is left of the old counts",
			view{Spec: spec(0, 0), Generation: 7, Status: appsv1.ReplicaSetStatus{
				Replicas: 3, FullyLabeledReplicas: 3, ReadyReplicas: 2, AvailableReplicas: 1, TerminatingReplicas: ptr.To[int32](4), ObservedGeneration: 6,
			}},
			appsv1.ReplicaSetStatus{ObservedGeneration: 7},
		},
		{
			"not ready, ready now, ready for two hours",
			view{Spec: spec(3, 3600), Active: []*corev1.Pod{plain, ready(0), ready(2 * time.Hour)}},
			appsv1.ReplicaSetStatus{Replicas: 3, FullyLabeledReplicas: 3, ReadyReplicas: 2, AvailableReplicas: 1},
		},
		{
			"ready is available when there is nothing to wait for",
			view{Spec: spec(3, 0), Active: []*corev1.Pod{plain, ready(0), ready(2 * time.Hour)}},
			appsv1.ReplicaSetStatus{Replicas: 3, FullyLabeledReplicas: 3, ReadyReplicas: 2, AvailableReplicas: 2},
		},
		{
			"the template got another label",
			view{Spec: spec(2, 0, "tier"), Active: []*corev1.Pod{plain, labelled("tier", "x"), labelled("tier", "y")}},
			appsv1.ReplicaSetStatus{Replicas: 3, FullyLabeledReplicas: 1},
		},
		{
			"terminating",
			view{Spec: spec(2, 0), Terminating: ptr.To[int32](0)},
			appsv1.ReplicaSetStatus{TerminatingReplicas: ptr.To[int32](0)},
		},
	}
	for _, tc := range tests {
		tc.view.Now = noon
		if diff := cmp.Diff(tc.want, tc.view.next()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestReplicaFailure(t *testing.T) {
	earlier, now := metav1.NewTime(noon.Add(-time.Hour)), metav1.NewTime(noon)
	other := appsv1.ReplicaSetCondition{Type: "Other", Status: corev1.ConditionFalse, LastTransitionTime: earlier}
	failure := func(since metav1.Time, reason, message string) appsv1.ReplicaSetCondition {
		return appsv1.ReplicaSetCondition{Type: "ReplicaFailure", Status: corev1.ConditionTrue, LastTransitionTime: since, Reason: reason, Message: message}
	}
	pods := []*corev1.Pod{labelled("app", "web"), labelled("app", "web")}
	type conditions = []appsv1.ReplicaSetCondition
	tests := []struct {
		name     string
		replicas int32
		failure  error
		old      conditions
		want     conditions
	}{
		{name: "none", replicas: 2},
		{name: "too few", replicas: 3, failure: errors.New("quota"), want: conditions{failure(now, "FailedCreate", "quota")}},
		{name: "too many", replicas: 1, failure: errors.New("no"), want: conditions{failure(now, "FailedDelete", "no")}},
		{name: "beside others", replicas: 3, failure: errors.New("quota"), old: conditions{other}, want: conditions{other, failure(now, "FailedCreate", "quota")}},
		{
			name: "goes on", replicas: 1, failure: errors.New("new"),
			old:  conditions{failure(earlier, "FailedCreate", "old"), other},
			want: conditions{failure(earlier, "FailedCreate", "old"), other},
		},
		{name: "over", replicas: 2, old: conditions{failure(earlier, "FailedCreate", "old"), other}, want: conditions{other}},
	}
	for _, tc := range tests {
		old := append(conditions(nil), tc.old...)
		v := view{Spec: spec(tc.replicas, 0), Status: appsv1.ReplicaSetStatus{Conditions: tc.old}, Active: pods, Failure: tc.failure, Now: noon}
		got := v.next().Conditions
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if diff := cmp.Diff(old, tc.old); diff != "" {
			t.Errorf("%s: the old status was changed (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestAgeRatios(t *testing.T) {
	old := labelled("app", "web")
	old.CreationTimestamp = metav1.NewTime(noon.Add(-time.Hour))
	tests := []struct {
		name        string
		all, chosen []*corev1.Pod
		want        []float64
	}{
		{name: "none"},
		{name: "none ready", all: []*corev1.Pod{old}, chosen: []*corev1.Pod{old}},
		{name: "whole times", all: []*corev1.Pod{ready(4 * time.Second), ready(11 * time.Second)}, chosen: []*corev1.Pod{ready(11 * time.Second), ready(4 * time.Second)}, want: []float64{2, 1}},
		{name: "only ready ones", all: []*corev1.Pod{old, ready(time.Minute), ready(3 * time.Minute)}, chosen: []*corev1.Pod{old, ready(3 * time.Minute)}, want: []float64{3}},
		{name: "the youngest has no age", all: []*corev1.Pod{ready(0), ready(time.Minute)}, chosen: []*corev1.Pod{ready(time.Minute)}},
		{name: "the youngest comes from the future", all: []*corev1.Pod{ready(-time.Second), ready(time.Minute)}, chosen: []*corev1.Pod{ready(time.Minute)}},
	}
	for _, tc := range tests {
		if diff := cmp.Diff(tc.want, ageRatios(tc.all, tc.chosen, noon)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestUrgency(t *testing.T) {
	type counts struct{ replicas, available int32 }
	failed := []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure}}
	for name, tc := range map[string]struct {
		before, next counts
		failure      bool
		want         time.Duration
	}{
		"created":       {counts{0, 0}, counts{3, 0}, false, pacing.Later},
		"more of many":  {counts{3, 1}, counts{3, 2}, false, pacing.Soon},
		"all":           {counts{3, 2}, counts{3, 3}, false, pacing.Now},
		"one fails":     {counts{3, 3}, counts{3, 2}, false, pacing.Now},
		"too many":      {counts{3, 3}, counts{4, 3}, false, pacing.Later},
		"cannot create": {counts{3, 3}, counts{2, 3}, true, pacing.Now},
	} {
		t.Run(name, func(t *testing.T) {
			v := view{Spec: Spec{Replicas: 3}, Status: appsv1.ReplicaSetStatus{Replicas: tc.before.replicas, AvailableReplicas: tc.before.available}}
			next := appsv1.ReplicaSetStatus{Replicas: tc.next.replicas, AvailableReplicas: tc.next.available}
			if tc.failure {
				next.Conditions = failed
			}
			if got := v.urgency(next); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
