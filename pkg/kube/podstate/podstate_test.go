// SPDX-License-Identifier: Apache-2.0

package podstate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestLifeCycle(t *testing.T) {
	type states struct{ Active, Terminal, Terminating bool }
	deleted := metav1.NewTime(noon)
	tests := []struct {
		phase   corev1.PodPhase
		deleted *metav1.Time
		want    states
	}{
		{"", nil, states{Active: true}},
		{corev1.PodPending, nil, states{Active: true}},
		{corev1.PodRunning, nil, states{Active: true}},
		{corev1.PodUnknown, nil, states{Active: true}},
		{corev1.PodSucceeded, nil, states{Terminal: true}},
		{corev1.PodFailed, nil, states{Terminal: true}},
		{corev1.PodRunning, &deleted, states{Terminating: true}},
		{corev1.PodPending, &deleted, states{Terminating: true}},
		{corev1.PodFailed, &deleted, states{Terminal: true}},
		{corev1.PodSucceeded, &deleted, states{Terminal: true}},
	}
	for _, tc := range tests {
		p := &corev1.Pod{Status: corev1.PodStatus{Phase: tc.phase}}
		p.DeletionTimestamp = tc.deleted
		got := states{podstate.Active(p), podstate.Terminal(p), podstate.Terminating(p)}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("phase %q, deleted %v (-want +got):\n%s", tc.phase, tc.deleted, diff)
		}
	}
}

func readyPod(status corev1.ConditionStatus, since time.Time) *corev1.Pod {
	return &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
		{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(since)},
	}}}
}

func TestAvailability(t *testing.T) {
	tests := []struct {
		name             string
		pod              *corev1.Pod
		minReady         int32
		ready, available bool
	}{
		{"no condition", &corev1.Pod{}, 0, false, false},
		{"false", readyPod(corev1.ConditionFalse, noon.Add(-time.Hour)), 0, false, false},
		{"unknown", readyPod(corev1.ConditionUnknown, noon.Add(-time.Hour)), 10, false, false},
		{"ready, nothing to wait for", readyPod(corev1.ConditionTrue, noon), 0, true, true},
		{"ready at an unknown time, nothing to wait for", readyPod(corev1.ConditionTrue, time.Time{}), 0, true, true},
		{"ready at an unknown time", readyPod(corev1.ConditionTrue, time.Time{}), 1, true, false},
		{"a second too early", readyPod(corev1.ConditionTrue, noon.Add(-9*time.Second)), 10, true, false},
		{"just in time", readyPod(corev1.ConditionTrue, noon.Add(-10*time.Second)), 10, true, true},
		{"long ago", readyPod(corev1.ConditionTrue, noon.Add(-2*time.Hour)), 3600, true, true},
		{"in the future", readyPod(corev1.ConditionTrue, noon.Add(time.Hour)), 1, true, false},
	}
	for _, tc := range tests {
		if got := podstate.Ready(tc.pod); got != tc.ready {
			t.Errorf("%s: ready %v", tc.name, got)
		}
		if got := podstate.Available(tc.pod, tc.minReady, noon); got != tc.available {
			t.Errorf("%s: available %v", tc.name, got)
		}
	}
}

func TestNextAvailability(t *testing.T) {
	ago := func(s int) *corev1.Pod {
		return readyPod(corev1.ConditionTrue, noon.Add(-time.Duration(s)*time.Second))
	}
	tests := []struct {
		name string
		pods []*corev1.Pod
		late time.Duration // between counting and asking
		want time.Duration
	}{
		{"no pods", nil, 0, 10 * time.Second},
		{"none ready", []*corev1.Pod{readyPod(corev1.ConditionFalse, noon)}, 0, 10 * time.Second},
		{"all available", []*corev1.Pod{ago(10), ago(100)}, 0, 10 * time.Second},
		{"ready at an unknown time", []*corev1.Pod{readyPod(corev1.ConditionTrue, time.Time{})}, 0, 10 * time.Second},
		{"the nearest", []*corev1.Pod{ago(2), ago(7), ago(4), ago(30)}, 0, 3 * time.Second},
		{"measured from now", []*corev1.Pod{ago(2), ago(7)}, 2 * time.Second, time.Second},
		{"passed meanwhile", []*corev1.Pod{ago(2), ago(7)}, 4 * time.Second, 0},
	}
	for _, tc := range tests {
		if got := podstate.NextAvailability(tc.pods, 10, noon, noon.Add(tc.late)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
