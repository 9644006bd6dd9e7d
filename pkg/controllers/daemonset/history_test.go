// SPDX-License-Identifier: Apache-2.0

package daemonset_test

import (
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// Somebody else's revision has the name that the next one should get.
func TestHashCollision(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s, twin := newScene(t, h), newScene(t, h)
	a := s.node("a")
	selectNode := func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.NodeSelector[sceneLabel] = s.NS }
	second := func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.Containers[0].Image = "registry.example/c:2" }
	twin.create(twin.set("web", selectNode, second))
	twin.settles(a)
	name := twin.revisions()[0].Name

	s.create(s.set("web"))
	s.settles(a)
	s.runs("web", 1)
	_, err := s.Admin.AppsV1().ControllerRevisions(s.NS).Create(s.Ctx, &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: runtime.RawExtension{Raw: []byte(`{"other":"data"}`)}, Revision: 1,
	}, metav1.CreateOptions{})
	s.Must(err)
	s.update("web", second)
	s.runs("web", 1)
	ds := s.get("web")
	if n := ptr.Deref(ds.Status.CollisionCount, 0); n != 1 {
		t.Errorf("%d collisions, want 1", n)
	}
	p := s.settles(a)[0]
	if p.Spec.Containers[0].Image != "registry.example/c:2" || "web-"+p.Labels[hashLabel] == name {
		t.Errorf("image %s, hash %s", p.Spec.Containers[0].Image, p.Labels[hashLabel])
	}
}

// Of two revisions of the current template the later one stays.
func TestDuplicateRevision(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web"))
	before := s.settles(a)[0]
	s.runs("web", 1)
	run.Stop()
	double := s.revisions()[0]
	double.Name, double.ResourceVersion, double.UID = "web-double", "", ""
	double.Labels[hashLabel] = "double"
	double.Revision = 2
	_, err := s.Admin.AppsV1().ControllerRevisions(s.NS).Create(s.Ctx, &double, metav1.CreateOptions{})
	s.Must(err)
	h.Start(daemonset.Descriptor(), nil)
	s.Eventually(func() error {
		p := s.settles(a)[0]
		if p.UID != before.UID {
			t.Fatal("the pod was replaced")
		}
		if r := s.revisions(); len(r) != 1 || r[0].Name != double.Name || p.Labels[hashLabel] != "double" {
			return fmt.Errorf("%d revisions, pod labelled %s", len(r), p.Labels[hashLabel])
		}
		return nil
	})
	s.reports("web", all(1))
}

func TestHistoryLimit(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web", func(ds *appsv1.DaemonSet) {
		ds.Spec.RevisionHistoryLimit = ptr.To[int32](1)
		ds.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	}))
	pods := s.settles(nodes...)
	s.runs("web", 2)
	numbers := func(want ...int64) {
		t.Helper()
		s.Eventually(func() error {
			var got []int64
			for _, r := range s.revisions() {
				got = append(got, r.Revision)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				return fmt.Errorf("revisions %v, want %v", got, want)
			}
			return nil
		})
	}
	s.image("web", "2")
	numbers(1, 2)
	s.image("web", "3")
	numbers(1, 3) // the pods carry the first one
	s.image("web", "4")
	numbers(1, 4)
	for _, p := range pods {
		s.DeletePod(p.Name)
	}
	s.settles(nodes...)
	s.runs("web", 2)
	s.image("web", "5")
	numbers(4, 5)
}

// Revisions without an owner are adopted, those that no longer match released, and
// one without a hash is given its name as such.
func TestClaimedRevisions(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	ds := s.create(s.set("web"))
	s.settles(a)
	s.runs("web", 1)
	revisions := s.Admin.AppsV1().ControllerRevisions(s.NS)
	orphan := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: "orphan", Labels: web()}, Data: runtime.RawExtension{Raw: []byte(`{}`)}, Revision: 7,
	}
	_, err := revisions.Create(s.Ctx, orphan, metav1.CreateOptions{})
	s.Must(err)
	s.Eventually(func() error {
		r, err := revisions.Get(s.Ctx, "orphan", metav1.GetOptions{})
		s.Must(err)
		if !metav1.IsControlledBy(r, ds) || r.Labels[hashLabel] != "orphan" {
			return fmt.Errorf("owners %v, labels %v", r.OwnerReferences, r.Labels)
		}
		return nil
	})
	// The current one comes after it.
	s.Eventually(func() error {
		if all := s.revisions(); len(all) != 2 || all[1].Name == "orphan" || all[1].Revision != 8 {
			return errors.New("the current revision is not the latest")
		}
		return nil
	})
	_, err = revisions.Patch(s.Ctx, "orphan", types.MergePatchType, []byte(`{"metadata":{"labels":{"app":"other"}}}`), metav1.PatchOptions{})
	s.Must(err)
	s.Eventually(func() error {
		r, err := revisions.Get(s.Ctx, "orphan", metav1.GetOptions{})
		s.Must(err)
		if len(r.OwnerReferences) > 0 {
			return fmt.Errorf("owners %v", r.OwnerReferences)
		}
		return nil
	})
}
