// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodsOfNodes(t *testing.T) {
	field := func(r ...corev1.NodeSelectorRequirement) change {
		return func(p *corev1.Pod) { p.Spec.Affinity = require(corev1.NodeSelectorTerm{MatchFields: r}) }
	}
	name := func(op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: metav1.ObjectNameField, Operator: op, Values: values}
	}
	nodes := []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, {ObjectMeta: metav1.ObjectMeta{Name: "b"}}}
	pods := []*corev1.Pod{
		pod("pinned", current, pinned("a")),
		pod("bound-younger", current, on("a"), old(time.Minute)),
		pod("bound-elsewhere", current, on("a"), pinned("b")),
		pod("bound-z", current, on("a")),
		pod("held", current, on("a"), phase(corev1.PodFailed), leaving),
		pod("leaving", current, on("b"), leaving),
		pod("failed", current, on("b"), phase(corev1.PodFailed)),
		pod("of-nobody", current),
		pod("two-names", current, field(name(corev1.NodeSelectorOpIn, "a", "b"))),
		pod("other-names", current, field(name(corev1.NodeSelectorOpNotIn, "a"))),
		pod("second-field", current, field(name(corev1.NodeSelectorOpNotIn, "a"), name(corev1.NodeSelectorOpIn, "gone"))),
	}
	v := newView(rolling("1", ""), current, instant(), newRules(rolling("1", ""), false), nodes, pods)
	got := map[string][]string{}
	for _, p := range v.Places {
		for _, pod := range p.Pods {
			got[p.Node] = append(got[p.Node], pod.Name)
		}
		if p.Gone != (p.Node == "gone") {
			t.Errorf("%s is gone: %t", p.Node, p.Gone)
		}
	}
	want := map[string][]string{
		"a":    {"bound-elsewhere", "bound-z", "bound-younger", "pinned"},
		"b":    {"failed", "leaving"},
		"gone": {"second-field"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := v.desired(); n != 2 {
		t.Errorf("%d pods are desired, want 2", n)
	}
}

func TestUpdated(t *testing.T) {
	ds := rolling("1", "")
	v := view{Set: ds, Hash: current}
	counted := func(n string) *corev1.Pod {
		p := pod("p", former)
		p.Labels[generationLabel] = n
		return p
	}
	if v.updated(counted("")) || v.updated(counted("0")) || !v.updated(pod("p", current)) {
		t.Error("without a generation the hash decides")
	}
	ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "3"}
	if v.updated(counted("2")) || !v.updated(counted("3")) || !v.updated(pod("p", current)) {
		t.Error("with a generation one of the two is enough")
	}
	if (view{Set: rolling("1", "")}).updated(pod("p", "")) {
		t.Error("no hash is nobody's hash")
	}
}

func TestTemplate(t *testing.T) {
	ds := rolling("1", "")
	ds.Spec.Template.Labels = map[string]string{"app": "web"}
	ds.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "07"}
	got := podTemplate(ds, current)
	want := map[string]string{"app": "web", hashLabel: current, generationLabel: "7"}
	if diff := cmp.Diff(want, got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if len(got.Spec.Tolerations) != 6 || len(ds.Spec.Template.Labels) != 1 || len(ds.Spec.Template.Spec.Tolerations) != 0 {
		t.Errorf("%d tolerations; the set's own: %v", len(got.Spec.Tolerations), ds.Spec.Template)
	}
	ds.Annotations[appsv1.DeprecatedTemplateGeneration] = "x"
	if l := podTemplate(ds, current).Labels; len(l) != 2 {
		t.Errorf("labels %v", l)
	}
}

func TestPin(t *testing.T) {
	preferred := []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: expression("zone", corev1.NodeSelectorOpExists)}}
	spec := corev1.PodSpec{Affinity: require(expression("disk", corev1.NodeSelectorOpExists), expression("zone", corev1.NodeSelectorOpExists))}
	spec.Affinity.PodAffinity = &corev1.PodAffinity{}
	spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = preferred
	pin(&spec, "a")
	want := require(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{
		{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}},
	}})
	want.PodAffinity = &corev1.PodAffinity{}
	want.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = preferred
	if diff := cmp.Diff(want, spec.Affinity); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if spec.NodeName != "" {
		t.Error("bound without the scheduler")
	}
}

// A pod that is pinned to a node is found there, whatever the name.
func FuzzTarget(f *testing.F) {
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, node, bound string) {
		p := pod("p", current, pinned(node))
		if got := target(p); got != node {
			t.Errorf("pinned to %q, found at %q", node, got)
		}
		p.Spec.NodeName = bound
		if got := target(p); bound != "" && got != bound {
			t.Errorf("bound to %q, found at %q", bound, got)
		}
	})
}

func TestOrderIsTotal(t *testing.T) {
	pods := []*corev1.Pod{
		pod("d", current), pod("c", current, old(time.Minute)), pod("b", current, on("a"), old(time.Minute)),
		pod("a", current, on("a"), old(time.Minute)), pod("e", current, on("a")),
	}
	slices.SortFunc(pods, order)
	var got []string
	for _, p := range pods {
		got = append(got, p.Name)
	}
	if diff := cmp.Diff([]string{"e", "a", "b", "d", "c"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
