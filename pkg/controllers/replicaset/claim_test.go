// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func reference(rs *appsv1.ReplicaSet) metav1.OwnerReference {
	return *metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
}

func TestAdoption(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)

	t.Run("three orphans for two replicas", func(t *testing.T) {
		s := newScene(t, h)
		for _, name := range []string{"a", "b", "c"} {
			s.CreatePod(orphan(name))
		}
		s.catchUp()
		rs := s.create(set("web", 2))
		pods := s.settles("web", 2)
		for _, p := range pods {
			if !slices.Contains([]string{"a", "b", "c"}, p.Name) {
				t.Errorf("pod %s was created though there were enough", p.Name)
			}
			if diff := cmp.Diff([]metav1.OwnerReference{reference(rs)}, p.OwnerReferences); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		}
		if n := len(s.Pods()); n != 2 {
			t.Errorf("%d pods", n)
		}
	})

	t.Run("what is adopted and what is not", func(t *testing.T) {
		s := newScene(t, h)
		rs := s.create(set("web", 0))
		s.settles("web", 0)
		plain := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: rs.UID}
		another := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "other", UID: "other", Controller: ptr.To(true)}
		former := reference(rs)
		former.UID = "former"
		half := plain
		half.Controller = ptr.To(true)
		refs := map[string][]metav1.OwnerReference{
			"anothers": {another, plain}, "formers": {former}, "half": {half}, "plain": {plain}, "terminating": nil, "last": nil,
		}
		for _, name := range []string{"terminating", "anothers", "formers", "half", "plain", "last"} {
			p := orphan(name)
			p.Finalizers = []string{hold}
			p.OwnerReferences = refs[name]
			if name == "terminating" {
				p.Labels = nil
			}
			s.CreatePod(p)
			if name == "terminating" {
				s.DeletePod(name)
				s.LabelPod(name, "app", "web")
			}
		}
		want := map[string][]metav1.OwnerReference{
			"anothers": {another, plain}, "formers": {former}, "half": {half}, "plain": {reference(rs)}, "terminating": nil, "last": {reference(rs)},
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			got := map[string][]metav1.OwnerReference{}
			for _, p := range s.Pods() {
				got[p.Name] = p.OwnerReferences
			}
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("references (-want +got):\n%s", diff)
			}
			return nil
		})
		// All three of its own are surplus, and held back by their finalizer.
		s.reports("web", counts(0, 0, 0, 0, 3))
		for _, name := range []string{"anothers", "formers"} {
			if s.Pod(name).DeletionTimestamp != nil {
				t.Errorf("%s was deleted", name)
			}
		}
	})

	t.Run("another namespace", func(t *testing.T) {
		there, here := newScene(t, h), newScene(t, h)
		there.CreatePod(orphan("a"))
		there.catchUp()
		here.create(set("web", 1))
		here.settles("web", 1)
		if p := there.Pod("a"); len(p.OwnerReferences) > 0 {
			t.Errorf("adopted over a border: %v", p.OwnerReferences)
		}
	})
}

func TestOverlap(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	first, second := s.create(set("first", 2)), s.create(set("second", 3))
	s.settles("first", 2)
	s.settles("second", 3)
	if a, b := len(s.PodsOf(first)), len(s.PodsOf(second)); a != 2 || b != 3 || len(s.Pods()) != 5 {
		t.Errorf("%d and %d of %d pods", a, b, len(s.Pods()))
	}
}

func TestRelease(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	rs := s.create(set("web", 2))
	before := s.settles("web", 2)
	leaver := before[0].Name
	s.LabelPod(leaver, "app", "other")
	var after []corev1.Pod
	s.Eventually(func() error {
		if p := s.Pod(leaver); len(p.OwnerReferences) > 0 {
			return fmt.Errorf("not released: %v", p.OwnerReferences)
		}
		if after = s.PodsOf(rs); len(after) != 2 {
			return fmt.Errorf("%d pods", len(after))
		}
		return nil
	})
	if !slices.Contains(harness.PodNames(after), before[1].Name) || len(s.Pods()) != 3 {
		t.Errorf("pods %v became %v", harness.PodNames(before), harness.PodNames(s.Pods()))
	}
	s.LabelPod(leaver, "app", "web")
	s.Eventually(func() error {
		if n, all := len(s.PodsOf(rs)), len(s.Pods()); n != 2 || all != 2 {
			return fmt.Errorf("%d of %d pods, want two of two", n, all)
		}
		return nil
	})
	if got := s.Events("reason=FailedDelete"); len(got) > 0 {
		t.Errorf("events %v", got)
	}
}

func TestOwnerBeingDeleted(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	sets := s.Admin.AppsV1().ReplicaSets(s.NS)
	rs := set("web", 3)
	rs.Finalizers = []string{hold}
	old := s.create(rs)
	pods := s.settles("web", 3)
	s.Must(sets.Delete(s.Ctx, "web", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}))
	s.settles("web", 3) // seen with its deletion
	s.CreatePod(orphan("stray"))
	s.LabelPod(pods[0].Name, "app", "other")
	s.DeletePod(pods[1].Name)
	s.reports("web", counts(1, 1, 0, 0, 0))
	if p := s.Pod("stray"); len(p.OwnerReferences) > 0 {
		t.Errorf("adopted: %v", p.OwnerReferences)
	}
	if p := s.Pod(pods[0].Name); len(p.OwnerReferences) != 1 {
		t.Errorf("released: %v", p.OwnerReferences)
	}
	if n := len(s.Pods()); n != 3 {
		t.Errorf("%d pods, want the stray one and two old ones", n)
	}

	// The next one of that name takes the stray pod, and none that had an owner.
	_, err := sets.Patch(s.Ctx, "web", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.Must(err)
	again := s.create(set("web", 2))
	got := harness.PodNames(s.settles("web", 2))
	if !slices.Contains(got, "stray") || len(s.PodsOf(again)) != 2 || len(s.PodsOf(old)) != 2 {
		t.Errorf("pods %v, %d of the old owner", got, len(s.PodsOf(old)))
	}
}

// The test plays the garbage collector that orphans the pods.
func TestOrphanedPodsFindANewOwner(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	sets := s.Admin.AppsV1().ReplicaSets(s.NS)
	s.create(set("old", 2))
	before := s.settles("old", 2)
	s.Must(sets.Delete(s.Ctx, "old", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
	for _, p := range before {
		s.PatchPod(p.Name, `{"metadata":{"ownerReferences":null}}`)
	}
	_, err := sets.Patch(s.Ctx, "old", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.Must(err)
	s.Eventually(func() error {
		if _, err := sets.Get(s.Ctx, "old", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("got %v, want not found", err)
		}
		return nil
	})
	s.catchUp()
	s.create(set("new", 2))
	if diff := cmp.Diff(harness.PodNames(before), harness.PodNames(s.settles("new", 2))); diff != "" {
		t.Errorf("pods (-want +got):\n%s", diff)
	}
}
