// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// What happened while the controller was stopped is done when it starts, and
// nothing else.
func TestBacklog(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w, b := newWorld(t, h), newWorld(t, h)
	for round := range 3 {
		name := func(s string) string { return fmt.Sprintf("%s-%d", s, round) }
		orphaning, foreground, gone, stays := w.create(called(name("orphaning"))), w.create(called(name("foreground"))),
			w.create(called(name("gone"))), b.create(called(name("stays")))
		var orphans, valid []string
		for i := range 25 {
			orphans = append(orphans, w.create(called(name(fmt.Sprintf("orphan-%d", i)), ref(orphaning))).Name)
			valid = append(valid, b.create(called(name(fmt.Sprintf("valid-%d", i)), ref(stays))).Name)
		}
		w.create(called(name("f"), blocking(ref(foreground))))
		w.create(called(name("g"), ref(gone)))
		w.create(called(name("misplaced"), ref(stays)))
		w.delete(orphaning.Name, metav1.DeletePropagationOrphan)
		w.delete(foreground.Name, metav1.DeletePropagationForeground)
		w.delete(gone.Name, metav1.DeletePropagationBackground)

		run := h.Start(quick(), nil)
		w.eventuallyGone(orphaning.Name, foreground.Name, name("f"), name("g"), name("misplaced"))
		w.settle()
		for _, o := range orphans {
			if refs := w.get(o).OwnerReferences; len(refs) > 0 {
				t.Errorf("%s is owned by %v", o, refs)
			}
		}
		for _, o := range valid {
			b.get(o)
		}
		run.Stop()
	}
}

// A resource whose objects cannot be listed delays the workers for a while, no
// longer, and a stop not at all.
func TestResourceThatCannotBeListed(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWidgets(newWorld(t, h))
	w.Define()
	w.CreateWidget("stored-as-v1")
	w.BreakConversion()
	owner := w.create(called("owner"))
	w.create(called("child", ref(owner)))
	w.delete("owner", metav1.DeletePropagationOrphan)

	run := h.Start(describe(timing{period: 200 * time.Millisecond, patience: time.Hour}), nil)
	testkit.Eventually(t, harness.Timeout, func() error {
		if n, _ := h.Metric("workqueue_depth", map[string]string{"name": "garbage_collector_attempt_to_orphan"}); n != 1 {
			return fmt.Errorf("%v owners wait for orphaning, want 1", n)
		}
		return nil
	})
	w.get("owner")
	run.Stop() // fails the test when the patience is waited for

	h.Start(describe(timing{period: 200 * time.Millisecond, patience: 2 * time.Second}), nil)
	w.eventuallyGone("owner")
	if refs := w.get("child").OwnerReferences; len(refs) > 0 {
		t.Errorf("the child is owned by %v", refs)
	}
	w.settle()
	w.eventuallyLate()
	w.RepairConversion()
	w.Undefine()
}

// eventuallyLate waits until it has been counted that a cache does not fill.
func (w *widgets) eventuallyLate() {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		if n, _ := w.Metric("garbagecollector_controller_resources_sync_error_total", nil); n != 1 {
			return fmt.Errorf("%v errors counted, want 1", n)
		}
		return nil
	})
}

// A resource that breaks while the controller runs delays its own objects only:
// until it is repaired, nobody knows them.
func TestResourceThatBreaks(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(describe(timing{period: 200 * time.Millisecond, patience: 2 * time.Second}), nil)
	broken, healthy := newWidgets(newWorld(t, h)), newWidgets(newWorld(t, h))
	broken.Define()
	broken.eventuallyLeased(1)
	owner := broken.create(called("owner"))
	broken.CreateWidget("child", ref(owner))
	broken.settle()
	broken.BreakConversion()
	broken.eventuallyLate()
	testkit.Eventually(t, harness.Timeout, func() error {
		for _, s := range h.Kit.Pool.Stats() {
			if s.Resource == broken.Resource("v1") && s.Leases > 0 {
				return fmt.Errorf("%s has %d leases", s.Key, s.Leases)
			}
		}
		return nil
	})
	broken.delete("owner", metav1.DeletePropagationBackground)
	broken.settle()
	if _, err := broken.Widgets("v1").Get(t.Context(), "child", metav1.GetOptions{}); err != nil {
		t.Errorf("the child that nobody can list: %v", err)
	}

	// What is defined now is followed, and objects of other kinds are collected.
	healthy.Define()
	healthy.eventuallyLeased(1)
	other := healthy.CreateWidget("owner")
	healthy.create(called("child", blocking(healthy.ref(other))))
	healthy.deleteWidget("owner", metav1.DeletePropagationForeground)
	healthy.widgetEventuallyGone("owner")
	healthy.eventuallyGone("child")
	healthy.Undefine()

	broken.RepairConversion()
	testkit.Eventually(t, 2*harness.Timeout, func() error {
		_, err := broken.Widgets("v1").Get(t.Context(), "child", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the child is there: %v", err)
	})
	broken.Undefine()
}

// A group whose server is away does not keep others from being followed.
func TestPartialDiscovery(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	objects, err := dynamic.NewForConfig(h.AdminConfig)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	services := objects.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	broken := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": "v1.broken.example.com"},
		"spec": map[string]any{
			"group": "broken.example.com", "version": "v1", "insecureSkipTLSVerify": true,
			"groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"service": map[string]any{"namespace": "default", "name": "nobody"},
		},
	}}
	if _, err := services.Create(ctx, broken, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := services.Delete(context.Background(), "v1.broken.example.com", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	group := schema.GroupVersion{Group: "broken.example.com", Version: "v1"}
	session, err := h.Kit.Clients.NewSession("generic-garbage-collector", client.NewLedger(), client.Scale{})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		s, err := monitors.Discover(ctx, discovery.ToDiscoveryInterfaceWithContext(session.Discovery))
		if err != nil {
			return err
		}
		if s.Failed[group] == nil {
			return fmt.Errorf("the failures are %v", s.Failed)
		}
		return nil
	})
	session.Close(ctx)

	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.Define()
	w.eventuallyLeased(1)
	owner := w.CreateWidget("owner")
	w.create(called("child", w.ref(owner)))
	w.deleteWidget("owner", metav1.DeletePropagationBackground)
	w.eventuallyGone("child")
	w.Undefine()
	if n, found := h.Metric("garbagecollector_controller_resources_sync_error_total", nil); !found || n != 0 {
		t.Errorf("%v errors counted (found: %v), want 0", n, found)
	}
}

func TestSwitchedOff(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	c.GarbageCollector.EnableGarbageCollector = false
	_, err := controller.Build(Descriptor(), h.Kit, &c, client.NewLedger())
	if reason, declined := controller.Declined(err); !declined || reason != "enableGarbageCollector is false" {
		t.Errorf("got %v", err)
	}
}

func TestIgnoredResources(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(quick(), func(c *v1beta1.Controllers) {
		c.GarbageCollector.IgnoredResources = append(c.GarbageCollector.IgnoredResources, v1beta1.GroupResource{Resource: "secrets"})
		c.GarbageCollector.Workers = 1
	})
	w := newWorld(t, h)
	w.settle()
	run.Resize(5)
	w.settle()
	for _, key := range keys(h) {
		if strings.Contains(key, "Resource=secrets") || strings.Contains(key, "Resource=events") {
			t.Errorf("%s is watched", key)
		}
	}
}

func TestDebugPage(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(quick(), nil)
	w := newWorld(t, h)
	owner := w.create(called("owner"))
	child := w.create(called("child", ref(owner)))
	alone := w.create(called("alone"))
	w.settle()
	read := func(url string) (*http.Response, string) {
		r := httptest.NewRecorder()
		run.Debug().ServeHTTP(r, httptest.NewRequest(http.MethodGet, url, nil))
		return r.Result(), r.Body.String()
	}
	for _, url := range []string{"/graph", "/graph?uid=" + string(owner.UID)} {
		answer, body := read(url)
		if got := answer.Header.Get("Content-Type"); got != "text/vnd.graphviz" {
			t.Errorf("content type %q", got)
		}
		if got := answer.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("options %q", got)
		}
		if edge := fmt.Sprintf("%q -> %q;", child.UID, owner.UID); !strings.Contains(body, edge) {
			t.Errorf("%s lacks the edge %s:\n%s", url, edge, body)
		}
		if strings.Contains(body, string(alone.UID)) {
			t.Errorf("%s has an object that owns nothing and has no owner", url)
		}
	}
	if _, body := read("/graph?uid=" + string(alone.UID)); strings.Contains(body, string(owner.UID)) {
		t.Error("the graph of one object has others")
	}
	if answer, _ := read("/other"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("status %d, want 404", answer.StatusCode)
	}
}
