// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNodeChangesThatMatter(t *testing.T) {
	node := func(zone string, ready corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelTopologyZone: zone}},
			Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}},
		}
	}
	changed := node("a", corev1.ConditionTrue)
	changed.Status.Conditions[0].LastHeartbeatTime = metav1.Now()
	changed.Status.Allocatable = corev1.ResourceList{}
	for _, test := range []struct {
		name     string
		old, new *corev1.Node
		want     bool
	}{
		{"heartbeat", node("a", corev1.ConditionTrue), changed, false},
		{"moved", node("a", corev1.ConditionTrue), node("b", corev1.ConditionTrue), true},
		{"became ready", node("a", corev1.ConditionFalse), node("a", corev1.ConditionTrue), true},
		{"silent", node("a", corev1.ConditionTrue), node("a", corev1.ConditionUnknown), true},
		{"not ready in another way", node("a", corev1.ConditionFalse), node("a", corev1.ConditionUnknown), false},
	} {
		if got := capacityChanged(test.old, test.new); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
