// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func TestStatus(t *testing.T) {
	ds := rolling("1", "")
	ds.Generation = 4
	ds.Spec.MinReadySeconds = 10
	ds.Status = appsv1.DaemonSetStatus{
		ObservedGeneration: 3, NumberReady: 77, CollisionCount: ptr.To[int32](2),
		Conditions: []appsv1.DaemonSetCondition{{Type: "Foreign", Status: corev1.ConditionTrue}},
	}
	unfit := at("unfit", pod("u", current, on("unfit"), ready(time.Hour)))
	unfit.Run = false
	empty := at("unfit-empty")
	empty.Run = false
	v := view{Set: ds, Hash: current, Now: instant(), Places: []place{
		at("empty"),
		at("ready", pod("r", current, on("ready"), ready(9*time.Second))),
		at("available", pod("a", former, on("available"), ready(10*time.Second))),
		at("leaving", pod("l", current, on("leaving"), leaving)),
		at("two", pod("t1", former, on("two"), old(2*time.Hour)), pod("t2", current, on("two"), ready(time.Hour))),
		unfit, empty,
		{Node: "gone", Gone: true, Pods: []*corev1.Pod{pod("g", current, on("gone"))}},
	}}
	want := appsv1.DaemonSetStatus{
		ObservedGeneration: 4, CollisionCount: ds.Status.CollisionCount, Conditions: ds.Status.Conditions,
		DesiredNumberScheduled: 5, CurrentNumberScheduled: 4, NumberReady: 2, NumberAvailable: 1, NumberUnavailable: 4,
		UpdatedNumberScheduled: 2, NumberMisscheduled: 1,
	}
	if diff := cmp.Diff(want, v.status(true)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want.ObservedGeneration = 3
	if diff := cmp.Diff(want, v.status(false)); diff != "" {
		t.Errorf("without having acted (-want +got):\n%s", diff)
	}
	if !v.ripening() {
		t.Error("the ready pod is not waited for")
	}
	v.Now = v.Now.Add(time.Second)
	if v.ripening() {
		t.Error("waits although no pod becomes available with time")
	}
}
