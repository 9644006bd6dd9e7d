// SPDX-License-Identifier: Apache-2.0

package informer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func lists(api *fake.Clientset) (n int) {
	for _, a := range api.Actions() {
		if a.GetVerb() == "list" {
			n++
		}
	}
	return n
}

func TestInformersLiveAsLongAsTheirLeases(t *testing.T) {
	testkit.NoLeaks(t)
	api, clock := fake.NewClientset(), clocktesting.NewFakeClock(time.Now())
	pool := informer.NewPool(informer.Clients{Typed: api}, informer.Options{Linger: time.Minute, Clock: clock})
	acquire := func() *informer.Lease {
		t.Helper()
		l, err := pool.Acquire(informer.Pods())
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 10*time.Second, func() error {
			if !l.Informer().HasSynced() {
				return fmt.Errorf("not synced")
			}
			return nil
		})
		return l
	}
	first, second := acquire(), acquire()
	if first.Informer() != second.Informer() {
		t.Error("two leases of one kind have two informers")
	}
	first.Release()
	first.Release() // counts once
	clock.Step(time.Hour)
	if s := pool.Stats(); len(s) != 1 || s[0].Leases != 1 {
		t.Errorf("one lease is left, stats %+v", s)
	}
	second.Release()
	clock.Step(time.Minute - 1)
	third := acquire()
	clock.Step(time.Hour)
	if n := lists(api); n != 1 {
		t.Errorf("%d lists, want 1: the linger spares the others", n)
	}
	third.Release()
	clock.Step(time.Minute)
	if s := pool.Stats(); len(s) != 0 {
		t.Errorf("after the linger: %+v", s)
	}
	fourth := acquire()
	if fourth.Informer() == third.Informer() {
		t.Error("a stopped informer was lent again")
	}
	pool.Close()
	if _, err := pool.Acquire(informer.Pods()); err == nil {
		t.Error("a closed pool lends")
	}
	fourth.Release()
}

func TestPodsAreTrimmed(t *testing.T) {
	api := fake.NewClientset()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "x"}},
			Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "kept": "yes"}},
		Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "c", Image: "i", Command: []string{"run"},
			Env: []corev1.EnvVar{{Name: "A"}}, Ports: []corev1.ContainerPort{{ContainerPort: 80}}}}},
	}
	if _, err := api.CoreV1().Pods("ns").Create(context.Background(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pool := informer.NewPool(informer.Clients{Typed: api}, informer.Options{})
	defer pool.Close()
	lease, err := pool.Acquire(informer.Pods())
	if err != nil {
		t.Fatal(err)
	}
	cache := informer.Read(informer.Pods(), lease)
	var got *corev1.Pod
	testkit.Eventually(t, 10*time.Second, func() error {
		var found bool
		if got, found = cache.Get("ns", "p"); !found {
			return fmt.Errorf("not cached")
		}
		return nil
	})
	c := got.Spec.Containers[0]
	if got.ManagedFields != nil || c.Env != nil || c.Command != nil || got.Annotations[corev1.LastAppliedConfigAnnotation] != "" {
		t.Errorf("not trimmed: %+v", got)
	}
	if got.Spec.NodeName != "n" || got.Annotations["kept"] != "yes" || len(c.Ports) != 1 || c.Image != "i" {
		t.Errorf("trimmed too much: %+v", got)
	}
}

func TestLookups(t *testing.T) {
	yes := true
	pod := func(ns, name string, set map[string]string, controller string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Labels: set}}
		if controller != "" {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: controller, UID: "u", Controller: &yes}}
		}
		return p
	}
	pods := informer.CacheOf(informer.Pods(),
		pod("a", "1", map[string]string{"app": "x", "tier": "web"}, "rs"),
		pod("a", "2", map[string]string{"app": "x", "pod-template-hash": "h"}, ""),
		pod("a", "3", map[string]string{"app": "y"}, ""),
		pod("b", "4", map[string]string{"app": "x"}, "rs"))
	names := func(list []*corev1.Pod) string {
		got := map[string]bool{}
		for _, p := range list {
			got[p.Name] = true
		}
		s := ""
		for _, n := range []string{"1", "2", "3", "4"} {
			if got[n] {
				s += n
			}
		}
		return s
	}
	for selector, want := range map[string]string{
		"app=x": "12", "app=x,tier=web": "1", "app in (x,y)": "123", "tier": "1", "!tier": "23", "app=z": "", "": "123", "pod-template-hash=h": "2", "app=x,tier!=web": "2",
	} {
		s, err := labels.Parse(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(pods.Matching("a", s)); got != want {
			t.Errorf("%q matches %q, want %q", selector, got, want)
		}
	}
	if got := names(pods.Matching("a", labels.Nothing())); got != "" {
		t.Errorf("nothing matches %q", got)
	}
	if got := names(pods.ControlledBy("a", "ReplicaSet", "rs", "u")); got != "1" {
		t.Errorf("controlled: %q", got)
	}
	if got := names(pods.Orphans("a")); got != "23" {
		t.Errorf("orphans: %q", got)
	}

	rs := func(name string, s *metav1.LabelSelector) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}, Spec: appsv1.ReplicaSetSpec{Selector: s}}
	}
	sets := informer.CacheOf(informer.ReplicaSets(),
		rs("x", &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}),
		rs("exists", &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: metav1.LabelSelectorOpExists}}}),
		rs("empty", &metav1.LabelSelector{}), rs("none", nil),
		rs("other", &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}}))
	got := map[string]bool{}
	for _, s := range sets.Selecting("a", map[string]string{"app": "x", "more": "y"}) {
		got[s.Name] = true
	}
	if len(got) != 2 || !got["x"] || !got["exists"] {
		t.Errorf("may select the pod: %v, want x and exists", got)
	}
	if found := sets.Selecting("a", nil); len(found) != 0 {
		t.Errorf("no labels, yet selected by %v", found)
	}
}
