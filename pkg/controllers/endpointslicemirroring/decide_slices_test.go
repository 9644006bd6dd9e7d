// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// operations describes changes as "create what", "update name to what", "remove
// name".
func operations(p *changes) []string {
	list := []string{}
	for _, s := range p.create {
		list = append(list, "create "+describe(s))
	}
	for _, s := range p.update {
		list = append(list, "update "+s.Name+" to "+describe(s))
	}
	for _, s := range p.remove {
		list = append(list, "remove "+s.Name)
	}
	return list
}

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name        string
		before, now []string
		want        []string
		counts      counts
	}{
		{"the first time", nil, []string{"1.1.1.1||80"}, []string{"create IPv4: 1.1.1.1||80"}, counts{added: 1}},
		{"the same", []string{"1.1.1.1|1.1.1.2|80"}, []string{"1.1.1.1|1.1.1.2|80"}, []string{}, counts{}},
		{"nothing left", []string{"1.1.1.1||80"}, nil, []string{"remove slice-0"}, counts{removed: 1}},
		{"one more", []string{"1.1.1.1||80"}, []string{"1.1.1.1 1.1.1.2||80"}, []string{"update slice-0 to IPv4: 1.1.1.1 1.1.1.2||80"}, counts{added: 1}},
		{"one less", []string{"1.1.1.1 1.1.1.2||80"}, []string{"1.1.1.2||80"}, []string{"update slice-0 to IPv4: 1.1.1.2||80"}, counts{removed: 1}},
		{"one is not ready now", []string{"1.1.1.1 1.1.1.2||80"}, []string{"1.1.1.1|1.1.1.2|80"}, []string{"update slice-0 to IPv4: 1.1.1.1|1.1.1.2|80"}, counts{updated: 1}},
		{"another instead", []string{"1.1.1.1||80"}, []string{"1.1.1.2||80"}, []string{"update slice-0 to IPv4: 1.1.1.2||80"}, counts{added: 1, removed: 1}},
		{"another port: the slice is used again", []string{"1.1.1.1||80"}, []string{"1.1.1.1||81"}, []string{"update slice-0 to IPv4: 1.1.1.1||81"}, counts{added: 1, removed: 1}},
		{"another family: it is not", []string{"1.1.1.1||80"}, []string{"fd00::1||80"}, []string{"create IPv6: fd00::1||80", "remove slice-0"}, counts{added: 1, removed: 1}},
		{"two groups become one", []string{"1.1.1.1||80", "1.1.1.1||81", "1.1.1.2||81"}, []string{"1.1.1.1||82"}, []string{"update slice-0 to IPv4: 1.1.1.1||82", "remove slice-1"}, counts{added: 1, removed: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			existing := mirrored(parse(test.before...), 9)
			e := parse(test.now...)
			got := decide(e, contentOf(e, 9), existing)
			if diff := cmp.Diff(test.want, operations(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.counts, got.counts, cmp.AllowUnexported(counts{})); diff != "" {
				t.Error(diff)
			}
			if test.counts == (counts{}) && len(got.right) != len(existing) {
				t.Errorf("%d are right", len(got.right))
			}
		})
	}
}

// TestReasonsToWrite has slices with the right endpoints, but something else is not
// as it should be.
func TestReasonsToWrite(t *testing.T) {
	object := func() *corev1.Endpoints {
		e := parse("1.1.1.1|1.1.1.2|80 81")
		e.Labels = map[string]string{"a": "b"}
		e.Annotations = map[string]string{
			"c": "d", corev1.EndpointsLastChangeTriggerTime: "x", corev1.LastAppliedConfigAnnotation: "y",
		}
		return e
	}
	for _, test := range []struct {
		name   string
		now    func(*corev1.Endpoints)
		stored func(*discoveryv1.EndpointSlice)
		want   bool
	}{
		{"nothing", nil, nil, false},
		{"only the trigger and what was applied changed", func(e *corev1.Endpoints) {
			e.Annotations[corev1.EndpointsLastChangeTriggerTime], e.Annotations[corev1.LastAppliedConfigAnnotation] = "z", "z"
		}, nil, false},
		{"a label changed", func(e *corev1.Endpoints) { e.Labels["a"] = "z" }, nil, true},
		{"a label went", func(e *corev1.Endpoints) { e.Labels = nil }, nil, true},
		{"an annotation changed", func(e *corev1.Endpoints) { e.Annotations["c"] = "z" }, nil, true},
		{"all annotations went", func(e *corev1.Endpoints) { e.Annotations = nil }, nil, true},
		{"a label too many", nil, func(s *discoveryv1.EndpointSlice) { s.Labels["x"] = "y" }, true},
		{"an annotation too many", nil, func(s *discoveryv1.EndpointSlice) { s.Annotations["x"] = "y" }, true},
		{"made for earlier Endpoints", nil, func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].UID = "uid-old" }, true},
		{"owned by somebody as well", nil, func(s *discoveryv1.EndpointSlice) {
			s.OwnerReferences = append(s.OwnerReferences, metav1.OwnerReference{Kind: "Endpoints", Name: "other", UID: "z"}, metav1.OwnerReference{Kind: "Pod", Name: "web", UID: "z"})
		}, false},
		{"a condition too many", nil, func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Serving = ptr.To(true) }, true},
		{"an endpoint twice", nil, func(s *discoveryv1.EndpointSlice) { s.Endpoints = append(s.Endpoints, s.Endpoints[0]) }, true},
		{"endpoints in another order", nil, func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0], s.Endpoints[1] = s.Endpoints[1], s.Endpoints[0]
		}, false},
		{"labels that are the slice's own", func(e *corev1.Endpoints) {
			e.Labels[discoveryv1.LabelManagedBy], e.Labels[discoveryv1.LabelServiceName] = "me", "mine"
		}, nil, false},
	} {
		existing := mirrored(object(), 9)
		if test.stored != nil {
			test.stored(existing[0])
		}
		e := object()
		if test.now != nil {
			test.now(e)
		}
		got := decide(e, contentOf(e, 9), existing)
		if (len(got.update) == 1) != test.want || len(got.create)+len(got.remove) > 0 {
			t.Errorf("%s: %v", test.name, operations(got))
		}
		if test.want && got.update[0].Name != existing[0].Name {
			t.Errorf("%s: not in place: %v", test.name, operations(got))
		}
	}
}

func TestDuplicatesGo(t *testing.T) {
	e := parse("1.1.1.1||80")
	existing := append(mirrored(e, 9), mirrored(e, 9)...)
	existing[0].Name, existing[1].Name = "b", "a"
	if diff := cmp.Diff([]string{"remove b"}, operations(decide(e, contentOf(e, 9), existing))); diff != "" {
		t.Error(diff)
	}
}

// TestMoreThanASliceHolds has two subsets of the same ports, which only a pointer
// tells apart. What is left out must not change from sync to sync.
func TestMoreThanASliceHolds(t *testing.T) {
	e := parse("1.1.1.1 1.1.1.2||80", "1.1.1.3 1.1.1.4||80")
	for i := range e.Subsets {
		e.Subsets[i].Ports[0].AppProtocol = ptr.To("h2c")
	}
	first := mirrored(e, 3)
	if len(first) != 1 || len(first[0].Endpoints) != 3 {
		t.Fatalf("slices %v", described(first))
	}
	if got := operations(decide(e, contentOf(e, 3), first)); len(got) > 0 {
		t.Error(got)
	}
}

func TestMetadata(t *testing.T) {
	e := parse("1.1.1.1||80")
	e.Labels = map[string]string{"a": "b", discoveryv1.LabelManagedBy: "me"}
	e.Annotations = map[string]string{"c": "d", corev1.EndpointsLastChangeTriggerTime: "x", corev1.LastAppliedConfigAnnotation: "y"}
	got := decide(e, contentOf(e, 9), nil).create[0].ObjectMeta
	want := metav1.ObjectMeta{
		GenerateName: "web-", Namespace: "n",
		Labels:      map[string]string{"a": "b", discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: managedBy},
		Annotations: map[string]string{"c": "d"},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "Endpoints", Name: "web", UID: "uid-x", Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	long := strings.Repeat("a", 254)
	if got := prefixFor(long); got != long {
		t.Errorf("prefix %s", got)
	}
}

// FuzzDecide checks that what was decided, once done, leaves nothing to do.
func FuzzDecide(f *testing.F) {
	f.Add("1.1.1.1 1.1.1.2|1.1.1.3|80;1.1.1.1||81", "1.1.1.1||80;fd00::1||81 82")
	f.Add("fd00::1 1.1.1.1||", "1.1.1.1|1.1.1.1|80;what||80")
	f.Fuzz(func(t *testing.T, before, now string) {
		for _, text := range []string{before, now} {
			for s := range strings.SplitSeq(text, ";") {
				if strings.Count(s, "|") != 2 {
					return
				}
			}
		}
		existing := mirrored(parse(strings.Split(before, ";")...), 3)
		e := parse(strings.Split(now, ";")...)
		plan := decide(e, contentOf(e, 3), existing)
		stored := append([]*discoveryv1.EndpointSlice{}, plan.right...)
		for _, s := range append(plan.create, plan.update...) {
			if s.Name == "" {
				s.Name = "new-" + describe(s)
			}
			stored = append(stored, s.DeepCopy())
		}
		if diff := cmp.Diff(described(mirrored(e, 3)), described(stored)); diff != "" {
			t.Error("not what is wanted:", diff)
		}
		if again := operations(decide(e, contentOf(e, 3), stored)); len(again) > 0 {
			t.Error("still to do:", again)
		}
	})
}
