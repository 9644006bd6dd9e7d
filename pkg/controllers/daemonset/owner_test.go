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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func (s *scene) labelPod(name string, labels map[string]any) {
	s.t.Helper()
	data := fmt.Appendf(nil, `{"metadata":{"labels":{"app":%q}}}`, labels["app"])
	_, err := s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, name, types.MergePatchType, data, metav1.PatchOptions{})
	s.must(err)
}

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
	s.labelPod(leaver.Name, map[string]any{"app": "other"})
	testkit.Eventually(t, harness.Timeout, func() error {
		if p := s.pod(leaver.Name); len(p.OwnerReferences) > 0 {
			return errors.New("not released")
		}
		if n := len(s.pods()); n != 2 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
	s.labelPod(leaver.Name, map[string]any{"app": "web"})
	testkit.Eventually(t, harness.Timeout, func() error {
		pods := s.pods()
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
	s.must(s.Admin.AppsV1().DaemonSets(s.ns).Delete(s.ctx, "web", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
	for _, p := range before {
		_, err := s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, p.Name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`), metav1.PatchOptions{})
		s.must(err)
	}
	for _, r := range s.revisions() {
		_, err := s.Admin.AppsV1().ControllerRevisions(s.ns).Patch(s.ctx, r.Name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`), metav1.PatchOptions{})
		s.must(err)
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
	s.t.Helper()
	sets := s.Admin.AppsV1().DaemonSets(s.ns)
	_, err := sets.Patch(s.ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.must(err)
	testkit.Eventually(s.t, harness.Timeout, func() error {
		if _, err := sets.Get(s.ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
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
	s.must(s.Admin.AppsV1().DaemonSets(s.ns).Delete(s.ctx, "web", metav1.DeleteOptions{}))
	s.must(s.Admin.CoreV1().Pods(s.ns).Delete(s.ctx, p.Name, metav1.DeleteOptions{}))
	s.node("b")
	s.catchUp()
	if n := len(s.pods()); n != 0 {
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
	testkit.Eventually(t, harness.Timeout, func() error {
		if n := len(s.pods()); n != 2 {
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
	hard := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("2")}
	quotas := s.Admin.CoreV1().ResourceQuotas(s.ns)
	q, err := quotas.Create(s.ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}, metav1.CreateOptions{})
	s.must(err)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}}
	_, err = quotas.UpdateStatus(s.ctx, q, metav1.UpdateOptions{})
	s.must(err)
	nodes := s.nodes("a", "b", "c", "d", "e")
	s.create(s.set("web"))
	s.reports("web", counts{5, 2, 0, 0, 2, 0})
	testkit.Eventually(t, harness.Timeout, func() error {
		list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=FailedCreate"})
		s.must(err)
		for _, e := range list.Items {
			if e.Type == corev1.EventTypeWarning && strings.HasPrefix(e.Message, "Error creating: pods ") {
				return nil
			}
		}
		return errors.New("no event")
	})
	s.must(quotas.Delete(s.ctx, "q", metav1.DeleteOptions{}))
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
	s.must(s.Admin.CoreV1().Namespaces().Delete(s.ctx, s.ns, metav1.DeleteOptions{}))
	testkit.Eventually(t, harness.Timeout, func() error {
		ns, err := s.Admin.CoreV1().Namespaces().Get(s.ctx, s.ns, metav1.GetOptions{})
		if err == nil && ns.Status.Phase != corev1.NamespaceTerminating {
			return fmt.Errorf("phase %s", ns.Status.Phase)
		}
		return err
	})
	s.node("b")
	later := newScene(t, h)
	later.catchUp()
	list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=FailedCreate"})
	s.must(err)
	if len(list.Items) > 0 {
		t.Errorf("event %q", list.Items[0].Message)
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
	added, err := s.Admin.CoreV1().Pods(s.ns).Watch(s.ctx, metav1.ListOptions{})
	s.must(err)
	defer added.Stop()
	run := h.Start(daemonset.Descriptor(), nil)
	s.create(s.set("web"))
	created := 0
	for _, until := range []int{2, 6, 12} {
		for created < until {
			if e := <-added.ResultChan(); e.Type == watch.Added {
				created++
			}
		}
		run.Stop()
		run = h.Start(daemonset.Descriptor(), nil)
	}
	s.settles(nodes...)
	s.reports("web", counts{20, 20, 0, 0, 20, 0})
	s.catchUp()
	if n := len(s.pods()); n != len(nodes) {
		t.Errorf("%d pods", n)
	}
	s.must(s.Admin.CoreV1().Pods(s.ns).Delete(s.ctx, s.pods()[0].Name, metav1.DeleteOptions{}))
	for deleted := 0; deleted == 0; {
		switch e := <-added.ResultChan(); e.Type {
		case watch.Added:
			created++
		case watch.Deleted:
			deleted++
		case watch.Error:
			t.Fatal(e.Object)
		}
	}
	if created != len(nodes) {
		t.Errorf("%d pods were created for %d nodes", created, len(nodes))
	}
	list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=FailedCreate"})
	s.must(err)
	if len(list.Items) > 0 {
		t.Errorf("event %q", list.Items[0].Message)
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
		for _, p := range s.pods() {
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
	list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=SuccessfulCreate"})
	s.must(err)
	if n := len(list.Items); n > 8 {
		t.Errorf("%d pods were created, want 8", n)
	}
}
