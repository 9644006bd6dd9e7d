// SPDX-License-Identifier: Apache-2.0

package daemonset_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// A pod that leaves is replaced; one that comes back is adopted, and is too many.
func TestReleaseAndAdoption(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	ds := s.create(s.set("web"))
	leaver := s.settles(a)[0]
	s.run()
	s.reports("web", all(1))
	s.LabelPod(leaver.Name, "app", "other")
	s.Eventually(func() error {
		if p := s.Pod(leaver.Name); len(p.OwnerReferences) > 0 {
			return errors.New("not released")
		}
		if n := len(s.Pods()); n != 2 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
	s.LabelPod(leaver.Name, "app", "web")
	s.Eventually(func() error {
		pods := s.Pods()
		if len(pods) != 1 || pods[0].Name != leaver.Name || !metav1.IsControlledBy(&pods[0], ds) {
			return fmt.Errorf("%d pods", len(pods))
		}
		return nil
	})
}

func TestOrphansAreAdopted(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web"))
	before := s.settles(nodes...)
	s.runs("web", 2)
	s.Must(s.Admin.AppsV1().DaemonSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
	for _, p := range before {
		s.PatchPod(p.Name, `{"metadata":{"ownerReferences":null}}`)
	}
	for _, r := range s.revisions() {
		_, err := s.Admin.AppsV1().ControllerRevisions(s.NS).Patch(s.Ctx, r.Name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`), metav1.PatchOptions{})
		s.Must(err)
	}
	s.free("web")
	again := s.create(s.set("web"))
	s.reports("web", all(2))
	for i, p := range s.settles(nodes...) {
		if p.Name != before[i].Name || !metav1.IsControlledBy(&p, again) {
			t.Errorf("%s became %s of %v", before[i].Name, p.Name, p.OwnerReferences)
		}
	}
	if r := s.revisions(); len(r) != 1 || !metav1.IsControlledBy(&r[0], again) {
		t.Errorf("%d revisions", len(r))
	}
}

// free takes the finalizers from a DaemonSet and waits until it is gone.
func (s *scene) free(name string) {
	s.T.Helper()
	sets := s.Admin.AppsV1().DaemonSets(s.NS)
	_, err := sets.Patch(s.Ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.Must(err)
	s.Eventually(func() error {
		if _, err := sets.Get(s.Ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("got %v, want not found", err)
		}
		return nil
	})
}

func TestOwnerBeingDeleted(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	old := s.create(s.set("web", func(ds *appsv1.DaemonSet) { ds.Finalizers = []string{hold} }))
	p := s.settles(a)[0]
	s.runs("web", 1)
	before := s.get("web")
	s.Must(s.Admin.AppsV1().DaemonSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{}))
	s.DeletePod(p.Name)
	s.node("b")
	s.catchUp()
	if n := len(s.Pods()); n != 0 {
		t.Errorf("%d pods were created", n)
	}
	if now := s.get("web"); now.Status.CurrentNumberScheduled != before.Status.CurrentNumberScheduled {
		t.Errorf("status %+v", now.Status)
	}
	s.free("web")
	again := s.create(s.set("web"))
	if again.UID == old.UID {
		t.Fatal("the same object")
	}
	s.Eventually(func() error {
		if n := len(s.Pods()); n != 2 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
}

// Admission that lets only some pods in is reported, and tried again.
func TestQuota(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	quota := s.Quota(corev1.ResourcePods, "2")
	nodes := s.nodes("a", "b", "c", "d", "e")
	s.create(s.set("web"))
	s.reports("web", counts{5, 2, 0, 0, 2, 0})
	s.Eventually(func() error {
		for _, e := range s.Events("reason=FailedCreate") {
			if e.Type == corev1.EventTypeWarning && strings.HasPrefix(e.Message, "Error creating: pods ") {
				return nil
			}
		}
		return errors.New("no event")
	})
	s.Must(s.Admin.CoreV1().ResourceQuotas(s.NS).Delete(s.Ctx, quota.Name, metav1.DeleteOptions{}))
	s.settles(nodes...)
	s.reports("web", counts{5, 5, 0, 0, 5, 0})
}

// A namespace that is going lets no pod in; that is no failure.
func TestClosingNamespace(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web"))
	s.settles(a)
	s.Terminate()
	s.node("b")
	later := newScene(t, h)
	later.catchUp()
	if e := s.Events("reason=FailedCreate"); len(e) > 0 {
		t.Errorf("event %q", e[0].Message)
	}
}

// Restarts in the middle of the work make no pod twice, and nobody reads of a
// failure.
func TestRestartWhileCreating(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprint("n", i))
	}
	nodes := s.nodes(names...)
	created := s.Creations()
	run := h.Start(daemonset.Descriptor(), nil)
	s.create(s.set("web"))
	for _, until := range []int{2, 6, 12} {
		created.Reach(until)
		run.Stop()
		run = h.Start(daemonset.Descriptor(), nil)
	}
	s.settles(nodes...)
	s.reports("web", counts{20, 20, 0, 0, 20, 0})
	s.catchUp()
	if n := len(s.Pods()); n != len(nodes) {
		t.Errorf("%d pods", n)
	}
	s.DeletePod(s.Pods()[0].Name)
	for deleted := 0; deleted == 0; {
		switch e := <-created.ResultChan(); e.Type {
		case watch.Added:
			created.Count++
		case watch.Deleted:
			deleted++
		case watch.Error:
			t.Fatal(e.Object)
		}
	}
	if created.Count != len(nodes) {
		t.Errorf("%d pods were created for %d nodes", created.Count, len(nodes))
	}
	if e := s.Events("reason=FailedCreate"); len(e) > 0 {
		t.Errorf("event %q", e[0].Message)
	}
}

// What is as it should be is left alone, also by a new run.
func TestNothingToDo(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web"))
	s.settles(nodes...)
	s.runs("web", 2)
	versions := func() string {
		all := s.get("web").ResourceVersion
		for _, p := range s.Pods() {
			all += " " + p.ResourceVersion
		}
		for _, r := range s.revisions() {
			if r.Labels["app"] == "web" {
				all += " " + r.ResourceVersion
			}
		}
		return all
	}
	before := versions()
	run.Stop()
	h.Start(daemonset.Descriptor(), nil)
	s.catchUp()
	if after := versions(); after != before {
		t.Errorf("versions %s became %s", before, after)
	}
}

// Without waiting for its own writes the controller relies on what it expects.
func TestWithoutReadingItsWrites(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	gates, err := feature.Resolve(map[string]bool{string(feature.StaleControllerConsistencyDaemonSet): false})
	if err != nil {
		t.Fatal(err)
	}
	h.Kit.Gates = gates
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b", "c", "d")
	s.create(s.set("web", limits("50%", "0")))
	s.settles(nodes...)
	s.runs("web", 4)
	s.image("web", "2")
	for _, step := range []map[string]int{images(2, 0), images(0, 2)} {
		s.tallies(4, step)
		s.run()
	}
	s.reports("web", all(4))
	if n := len(s.Events("reason=SuccessfulCreate")); n > 8 {
		t.Errorf("%d pods were created, want 8", n)
	}
}
