// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// fine are the conditions of a pass without trouble, in their order.
func fine() []corev1.NamespaceCondition {
	return []corev1.NamespaceCondition{
		{Type: "NamespaceDeletionDiscoveryFailure", Status: "False", Reason: "ResourcesDiscovered", Message: "All resources successfully discovered"},
		{Type: "NamespaceDeletionGroupVersionParsingFailure", Status: "False", Reason: "ParsedGroupVersions", Message: "All legacy kube types successfully parsed"},
		{Type: "NamespaceDeletionContentFailure", Status: "False", Reason: "ContentDeleted", Message: "All content successfully deleted, may be waiting on finalization"},
		{Type: "NamespaceContentRemaining", Status: "False", Reason: "ContentRemoved", Message: "All content successfully removed"},
		{Type: "NamespaceFinalizersRemaining", Status: "False", Reason: "ContentHasNoFinalizers", Message: "All content-preserving finalizers finished"},
	}
}

func bad(position int, reason, message string) corev1.NamespaceCondition {
	c := fine()[position]
	c.Status, c.Reason, c.Message = "True", reason, message
	return c
}

func TestConditions(t *testing.T) {
	gvr := func(group, resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}
	}
	some := &discovery.ErrGroupDiscoveryFailed{Groups: map[schema.GroupVersion]error{
		{Group: "b.io", Version: "v1"}: errors.New("down"), {Group: "a.io", Version: "v1"}: errors.New("gone"),
	}}
	for name, c := range map[string]struct {
		findings findings
		want     map[int]corev1.NamespaceCondition
	}{
		"fine": {},
		"all discovery failed": {findings{discovery: errors.New("no route")}, map[int]corev1.NamespaceCondition{
			0: bad(0, "DiscoveryFailed", "no route")}},
		"some groups failed": {findings{discovery: some}, map[int]corev1.NamespaceCondition{
			0: bad(0, "DiscoveryFailed", "Discovery failed for some groups, 2 failing: "+some.Error())}},
		"parsing": {findings{parsing: errors.New("unexpected GroupVersion string: a/b/c")}, map[int]corev1.NamespaceCondition{
			1: bad(1, "GroupVersionParsingFailed", "unexpected GroupVersion string: a/b/c")}},
		"deletion": {findings{deletion: []error{errors.New("b"), errors.New("a"), fmt.Errorf("c")}}, map[int]corev1.NamespaceCondition{
			2: bad(2, "ContentDeletionFailed", "Failed to delete all resource types, 3 remaining: a, b, c")}},
		"two kinds": {findings{objects: map[schema.GroupVersionResource]int{gvr("", "pods"): 5, gvr("apps", "deployments"): 5},
			finalizers: map[string]int{"b.io/f": 6, "a.io/f": 5}}, map[int]corev1.NamespaceCondition{
			3: bad(3, "SomeResourcesRemain", "Some resources are remaining: deployments.apps has 5 resource instances, pods. has 5 resource instances"),
			4: bad(4, "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: a.io/f in 5 resource instances, b.io/f in 6 resource instances")}},
	} {
		t.Run(name, func(t *testing.T) {
			want := fine()
			for i, condition := range c.want {
				want[i] = condition
			}
			if diff := cmp.Diff(want, conditions(c.findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindingsAddUp(t *testing.T) {
	f := findings{objects: map[schema.GroupVersionResource]int{}, finalizers: map[string]int{}}
	a := kind{GroupVersionResource: schema.GroupVersionResource{Resource: "as"}}
	b := kind{GroupVersionResource: schema.GroupVersionResource{Resource: "bs"}}
	f.add(a, leftover{objects: 5, finalizers: map[string]int{"x": 5, "y": 1}, estimate: 15})
	f.add(b, leftover{objects: 5, finalizers: map[string]int{"y": 5}, estimate: 30})
	f.add(kind{}, leftover{})
	if f.err() != nil {
		t.Errorf("error %v without one", f.err())
	}
	broken := errors.New("broken")
	f.add(kind{}, leftover{err: broken})
	want := findings{
		deletion: f.deletion, objects: map[schema.GroupVersionResource]int{a.GroupVersionResource: 5, b.GroupVersionResource: 5},
		finalizers: map[string]int{"x": 5, "y": 6}, estimate: 30,
	}
	if diff := cmp.Diff(want, f, cmp.AllowUnexported(findings{}), cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !errors.Is(f.err(), broken) {
		t.Errorf("error %v", f.err())
	}
}

func TestMerged(t *testing.T) {
	then := metav1.NewTime(time.Unix(1000, 0))
	now := metav1.NewTime(time.Unix(2000, 0))
	at := func(when metav1.Time, list ...corev1.NamespaceCondition) []corev1.NamespaceCondition {
		for i := range list {
			list[i].LastTransitionTime = when
		}
		return list
	}
	foreign := corev1.NamespaceCondition{Type: "example.com/Mine", Status: "True"}

	got, changed := merged(nil, fine(), now.Time)
	if diff := cmp.Diff(at(now, fine()...), got); diff != "" || !changed {
		t.Errorf("first: changed %v, (-want +got):\n%s", changed, diff)
	}

	old := append([]corev1.NamespaceCondition{foreign}, at(then, fine()...)...)
	got, changed = merged(old, fine(), now.Time)
	if diff := cmp.Diff(old, got); diff != "" || changed {
		t.Errorf("same: changed %v, (-want +got):\n%s", changed, diff)
	}

	news := fine()
	news[2] = bad(2, "ContentDeletionFailed", "one")
	got, changed = merged(old, news, now.Time)
	want := append([]corev1.NamespaceCondition{foreign}, at(then, fine()...)...)
	want[3] = at(now, news[2])[0]
	if diff := cmp.Diff(want, got); diff != "" || !changed {
		t.Errorf("worse: changed %v, (-want +got):\n%s", changed, diff)
	}

	// Another message with the same status is no transition.
	news[2].Message = "two"
	got, changed = merged(at(then, news...), append(fine()[:2], bad(2, "ContentDeletionFailed", "three")), now.Time)
	if got[2].LastTransitionTime != then || got[2].Message != "three" || !changed {
		t.Errorf("message: changed %v, got %+v", changed, got[2])
	}
	if old[3].Status != "False" {
		t.Error("the given conditions were changed")
	}
}
