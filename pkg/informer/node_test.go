// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func namesOf[T Object](objects []T) []string {
	var names []string
	for _, o := range objects {
		names = append(names, o.GetName())
	}
	slices.Sort(names)
	return names
}

func TestDaemonSetsOfANode(t *testing.T) {
	set := func(name string, selector map[string]string, keys ...string) *appsv1.DaemonSet {
		ds := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		ds.Spec.Template.Spec.NodeSelector = selector
		var terms []corev1.NodeSelectorTerm
		for _, k := range keys {
			terms = append(terms, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: k, Operator: corev1.NodeSelectorOpExists}}})
		}
		if terms != nil {
			ds.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
			}}
		}
		return ds
	}
	c := CacheOf(DaemonSets(),
		set("any", nil),
		set("ssd", map[string]string{"disk": "ssd"}),
		set("fast", map[string]string{"disk": "ssd", "network": "fast"}),
		set("tape", map[string]string{"disk": "tape"}),
		set("zoned", nil, "zone", "disk", "zone"),
	)
	got := namesOf(c.FittingNode(map[string]string{"disk": "ssd", "os": "linux"}))
	if diff := cmp.Diff([]string{"any", "ssd", "zoned"}, got); diff != "" {
		t.Errorf("fitting (-want +got):\n%s", diff)
	}
	for key, want := range map[string][]string{"disk": {"fast", "ssd", "tape", "zoned"}, "zone": {"zoned"}, "network": {"fast"}, "os": nil} {
		if diff := cmp.Diff(want, namesOf(c.DependingOnNodeLabel(key))); diff != "" {
			t.Errorf("depending on %s (-want +got):\n%s", key, diff)
		}
	}
}

func TestPodsOfANode(t *testing.T) {
	pod := func(name, node string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: corev1.PodSpec{NodeName: node}}
	}
	c := CacheOf(Pods(), pod("a1", "a"), pod("a2", "a"), pod("b", "b"), pod("nowhere", ""))
	if diff := cmp.Diff([]string{"a1", "a2"}, namesOf(c.OnNode("a"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if found := c.OnNode(""); len(found) > 0 {
		t.Errorf("pods on no node: %v", namesOf(found))
	}
}
