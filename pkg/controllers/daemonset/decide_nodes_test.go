// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func require(terms ...corev1.NodeSelectorTerm) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
	}}
}

func expression(key string, op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: op, Values: values}}}
}

func TestRules(t *testing.T) {
	yes, no, keep := verdict{Run: true, Keep: true}, verdict{}, verdict{Keep: true}
	taint := func(key string, effect corev1.TaintEffect) []corev1.Taint {
		return []corev1.Taint{{Key: key, Value: "5", Effect: effect}}
	}
	gt := []corev1.Toleration{{Key: "level", Operator: corev1.TolerationOpGt, Value: "3", Effect: corev1.TaintEffectNoSchedule}}
	for _, tc := range []struct {
		name       string
		spec       corev1.PodSpec
		taints     []corev1.Taint
		comparison bool
		want       verdict
	}{
		{name: "plain", want: yes},
		{name: "by name", spec: corev1.PodSpec{NodeName: "n"}, want: yes},
		{name: "another name", spec: corev1.PodSpec{NodeName: "m"}, want: no},
		{name: "selector", spec: corev1.PodSpec{NodeSelector: map[string]string{"disk": "ssd"}}, want: yes},
		{name: "another selector", spec: corev1.PodSpec{NodeSelector: map[string]string{"disk": "tape"}}, want: no},
		{name: "affinity", spec: corev1.PodSpec{Affinity: require(expression("disk", corev1.NodeSelectorOpIn, "ssd", "hdd"))}, want: yes},
		{name: "another affinity", spec: corev1.PodSpec{Affinity: require(expression("disk", corev1.NodeSelectorOpDoesNotExist))}, want: no},
		{name: "selector but not affinity", spec: corev1.PodSpec{
			NodeSelector: map[string]string{"disk": "ssd"}, Affinity: require(expression("zone", corev1.NodeSelectorOpExists)),
		}, want: no},
		{name: "a term that cannot be parsed", spec: corev1.PodSpec{Affinity: require(expression("disk", "Near", "ssd"))}, want: no},
		{name: "one that can besides", spec: corev1.PodSpec{
			Affinity: require(expression("disk", "Near", "ssd"), expression("disk", corev1.NodeSelectorOpExists)),
		}, want: yes},
		{name: "preferred only", spec: corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: expression("zone", corev1.NodeSelectorOpExists)}},
		}}}, want: yes},
		{name: "not schedulable", taints: taint("own", corev1.TaintEffectNoSchedule), want: keep},
		{name: "not executable", taints: taint("own", corev1.TaintEffectNoExecute), want: no},
		{name: "rather not", taints: taint("own", corev1.TaintEffectPreferNoSchedule), want: yes},
		{name: "tolerated", spec: corev1.PodSpec{Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}},
			taints: taint("own", corev1.TaintEffectNoExecute), want: yes},
		{name: "not ready", taints: taint(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute), want: yes},
		{name: "not ready yet", taints: taint(corev1.TaintNodeNotReady, corev1.TaintEffectNoSchedule), want: keep},
		{name: "unreachable", taints: taint(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute), want: yes},
		{name: "disk", taints: taint(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule), want: yes},
		{name: "memory", taints: taint(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule), want: yes},
		{name: "processes", taints: taint(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule), want: yes},
		{name: "cordoned", taints: taint(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule), want: yes},
		{name: "network", taints: taint(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule), want: keep},
		{name: "network of the host", spec: corev1.PodSpec{HostNetwork: true},
			taints: taint(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule), want: yes},
		{name: "comparison", spec: corev1.PodSpec{Tolerations: gt}, comparison: true,
			taints: taint("level", corev1.TaintEffectNoSchedule), want: yes},
		{name: "comparison, gate off", spec: corev1.PodSpec{Tolerations: gt},
			taints: taint("level", corev1.TaintEffectNoSchedule), want: keep},
		{name: "no resources, cordoned in its spec", spec: corev1.PodSpec{Containers: []corev1.Container{{}}}, want: yes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := &corev1.Node{
				ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"disk": "ssd"}},
				Spec:       corev1.NodeSpec{Taints: tc.taints, Unschedulable: true},
			}
			ds := &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: tc.spec}}}
			if diff := cmp.Diff(tc.want, newRules(ds, tc.comparison).judge(node)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTolerations(t *testing.T) {
	exists := func(key string, effect corev1.TaintEffect) corev1.Toleration {
		return corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
	}
	limited := exists(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)
	limited.TolerationSeconds = ptr.To[int64](30)
	other := exists(corev1.TaintNodeUnreachable, "")
	spec := corev1.PodSpec{HostNetwork: true, Tolerations: []corev1.Toleration{limited, other}}
	want := []corev1.Toleration{
		exists(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute),
		other,
		exists(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute),
		exists(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule),
		exists(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule),
	}
	if diff := cmp.Diff(want, tolerations(&spec)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if spec.Tolerations[0].TolerationSeconds == nil {
		t.Error("the template was changed")
	}
	if n := len(tolerations(&corev1.PodSpec{})); n != 6 {
		t.Errorf("%d tolerations for a pod with a network of its own, want 6", n)
	}
}

func TestConcerns(t *testing.T) {
	for _, tc := range []struct {
		v            verdict
		scheduled    bool
		misscheduled int32
		want         bool
	}{
		{v: verdict{Run: true, Keep: true}, want: true},
		{v: verdict{Run: true, Keep: true}, scheduled: true},
		{v: verdict{Run: true, Keep: true}, scheduled: true, misscheduled: 1, want: true},
		{v: verdict{Keep: true}},
		{v: verdict{Keep: true}, scheduled: true},
		{v: verdict{}, scheduled: true, want: true},
		{v: verdict{}, misscheduled: 1},
	} {
		if got := concerns(tc.v, tc.scheduled, tc.misscheduled); got != tc.want {
			t.Errorf("%+v: %t", tc, got)
		}
	}
}

func TestChangedLabels(t *testing.T) {
	old := map[string]string{"same": "1", "changed": "1", "gone": ""}
	now := map[string]string{"same": "1", "changed": "2", "new": ""}
	got := map[string]bool{}
	for _, k := range changedLabels(old, now) {
		got[k] = true
	}
	if diff := cmp.Diff(map[string]bool{"changed": true, "gone": true, "new": true}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
