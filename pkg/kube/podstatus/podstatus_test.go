// SPDX-License-Identifier: Apache-2.0

package podstatus_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstatus"
)

func TestPatch(t *testing.T) {
	before, now := time.Unix(1000, 0).UTC(), time.Unix(2000, 0).UTC()
	ready := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(before)}
	target := func(status corev1.ConditionStatus, reason string, generation int64, at time.Time) corev1.PodCondition {
		return corev1.PodCondition{Type: corev1.DisruptionTarget, Status: status, Reason: reason, ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(at)}
	}
	yes, no := target(corev1.ConditionTrue, "Why", 0, time.Time{}), target(corev1.ConditionFalse, "", 0, time.Time{})
	for _, tc := range []struct {
		name   string
		had    []corev1.PodCondition
		change podstatus.Change
		want   corev1.PodStatus
	}{
		{
			"phase alone", []corev1.PodCondition{ready}, podstatus.Change{Phase: corev1.PodFailed},
			corev1.PodStatus{Phase: corev1.PodFailed, ObservedGeneration: 7, Conditions: []corev1.PodCondition{ready}},
		},
		{
			"a new condition", []corev1.PodCondition{ready}, podstatus.Change{Phase: corev1.PodFailed, Condition: &yes},
			corev1.PodStatus{Phase: corev1.PodFailed, ObservedGeneration: 7, Conditions: []corev1.PodCondition{ready, target(corev1.ConditionTrue, "Why", 7, now)}},
		},
		{
			"the same status keeps its time", []corev1.PodCondition{target(corev1.ConditionTrue, "Other", 3, before), ready}, podstatus.Change{Condition: &yes},
			corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{target(corev1.ConditionTrue, "Why", 7, before), ready}},
		},
		{
			"what was there is cleared", []corev1.PodCondition{ready, target(corev1.ConditionTrue, "Other", 3, before)}, podstatus.Change{Condition: &no},
			corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{ready, target(corev1.ConditionFalse, "", 7, now)}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "u", Generation: 7}}
			pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, tc.had
			patch, err := podstatus.Patch(pod, tc.change, now)
			if err != nil {
				t.Fatal(err)
			}
			got := apply(t, pod, patch)
			if got.UID != "u" || got.ResourceVersion != "" {
				t.Errorf("metadata %+v", got.ObjectMeta)
			}
			if diff := cmp.Diff(tc.want, got.Status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExactlyNamesTheVersion(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "u", ResourceVersion: "12"}}
	patch, err := podstatus.Patch(pod, podstatus.Change{Exactly: true}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"metadata":{"uid":"u","resourceVersion":"12"},"status":{}}`; string(patch) != want {
		t.Errorf("got %s, want %s", patch, want)
	}
}

func apply(t *testing.T, pod *corev1.Pod, patch []byte) *corev1.Pod {
	t.Helper()
	original, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	patched, err := strategicpatch.StrategicMergePatch(original, patch, corev1.Pod{})
	if err != nil {
		t.Fatal(err)
	}
	got := &corev1.Pod{}
	if err := json.Unmarshal(patched, got); err != nil {
		t.Fatal(err)
	}
	return got
}
