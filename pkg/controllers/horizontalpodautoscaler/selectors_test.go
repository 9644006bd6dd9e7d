// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func parse(t *testing.T, s string) labels.Selector {
	t.Helper()
	selector, err := labels.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector
}

func labeled(namespace string, set map[string]string) []*corev1.Pod {
	return []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Labels: set}}}
}

func TestSelectors(t *testing.T) {
	s := newSelectors()
	a, b, c, other := key{Namespace: "ns", Name: "a"}, key{Namespace: "ns", Name: "b"}, key{Namespace: "ns", Name: "c"}, key{Namespace: "other", Name: "a"}
	for _, k := range []key{a, b, c, other} {
		if !s.register(k) || s.register(k) {
			t.Errorf("%s is registered once", k)
		}
	}
	both := map[string]string{"app": "x", "tier": "front"}
	expect := func(set map[string]string, want ...key) {
		t.Helper()
		if diff := cmp.Diff(want, append([]key(nil), s.selecting(labeled("ns", set))...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	expect(both)
	s.set(a, parse(t, "app=x"))
	s.set(other, parse(t, "app=x"))
	expect(both, a)
	s.set(b, parse(t, "tier in (front),app!=y"))
	expect(both, a, b)
	expect(map[string]string{"app": "x"}, a)
	expect(map[string]string{"app": "y", "tier": "front"})
	s.set(c, parse(t, "app in (x,y)"))
	expect(map[string]string{"app": "y"}, c)
	expect(both, a, b, c)
	s.set(b, parse(t, "tier=back"))
	expect(both, a, c)
	if !s.remove(a) || s.remove(a) || s.set(a, parse(t, "app=x")) {
		t.Error("what is removed stays so")
	}
	for _, k := range []key{b, c, other} {
		s.remove(k)
	}
	if len(s.filed)+len(s.all) != 0 {
		t.Errorf("left over: %v %v", s.filed, s.all)
	}
}
