// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// made is a pod of some phase that was created at a minute.
func made(name string, minute int64, phase corev1.PodPhase, reason string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, CreationTimestamp: metav1.Unix(minute*60, 0)}}
	p.Status.Phase, p.Status.Reason = phase, reason
	return p
}

func names(pods []*corev1.Pod) (names []string) {
	for _, p := range pods {
		names = append(names, p.Name)
	}
	return names
}

func TestSurplus(t *testing.T) {
	old, young, twin := made("old", 1, corev1.PodSucceeded, ""), made("young", 3, corev1.PodFailed, ""), made("twin", 1, corev1.PodFailed, "")
	evicted := made("evicted", 9, corev1.PodFailed, "Evicted")
	merely := made("merely", 2, corev1.PodSucceeded, "Evicted") // it did not fail
	for _, tc := range []struct {
		name      string
		ended     []*corev1.Pod
		threshold int
		want      []string
	}{
		{"the oldest go", []*corev1.Pod{young, old, twin}, 1, []string{"old", "twin"}},
		{"one may stay for each", []*corev1.Pod{young, old}, 2, nil},
		{"fewer than may stay", []*corev1.Pod{young, old}, 5, nil},
		{"0 lets all stay", []*corev1.Pod{young, old}, 0, nil},
		{"less than 0 too", []*corev1.Pod{young, old}, -1, nil},
		{"evicted ones go first", []*corev1.Pod{young, evicted, old}, 2, []string{"evicted"}},
		{"evicted means failed", []*corev1.Pod{young, merely, old, evicted}, 1, []string{"evicted", "old", "merely"}},
		{"none", nil, 1, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, names(surplus(tc.ended, tc.threshold))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutOfService(t *testing.T) {
	nodes := map[string]*corev1.Node{}
	node := func(name string, ready corev1.ConditionStatus, taints ...string) {
		n := &corev1.Node{}
		if ready != "" {
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}, {Type: corev1.NodeReady, Status: ready}}
		}
		for _, key := range taints {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: "shutdown", Effect: corev1.TaintEffectNoSchedule})
		}
		nodes[name] = n
	}
	node("down", corev1.ConditionFalse, "other", corev1.TaintNodeOutOfService)
	node("silent", corev1.ConditionUnknown, corev1.TaintNodeOutOfService)
	node("new", "", corev1.TaintNodeOutOfService)
	node("ready", corev1.ConditionTrue, corev1.TaintNodeOutOfService)
	node("untainted", corev1.ConditionFalse, "other")
	var deleting []*corev1.Pod
	for _, name := range []string{"down", "silent", "new", "ready", "untainted", "unknown", ""} {
		p := made("on-"+name, 1, corev1.PodRunning, "")
		p.Spec.NodeName = name
		deleting = append(deleting, p)
	}
	got := names(outOfService(deleting, func(name string) *corev1.Node { return nodes[name] }))
	if diff := cmp.Diff([]string{"on-down", "on-new", "on-silent"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"on-"}, names(unscheduled(deleting))); diff != "" {
		t.Errorf("unscheduled (-want +got):\n%s", diff)
	}
}

func TestTimes(t *testing.T) {
	if interval != 20*time.Second || quarantine != 40*time.Second {
		t.Error("operators rely on these")
	}
}
