// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/widget"
)

// widgets are custom resources of their own group.
type widgets struct {
	*world
	*widget.Kind
}

func newWidgets(w *world) *widgets {
	w.t.Helper()
	return &widgets{world: w, Kind: widget.New(w.t, w.AdminConfig, w.ns)}
}

// count is the name under which they are counted.
func (w *widgets) count() string { return "count/widgets." + w.Group }

// create makes widgets as soon as the quota lets them in.
func (w *widgets) create(names ...string) {
	w.t.Helper()
	for _, name := range names {
		testkit.Eventually(w.t, harness.Timeout, func() error {
			_, err := w.Widgets("v1").Create(context.Background(), w.Widget("v1", name), metav1.CreateOptions{})
			return err
		})
	}
}

// leases of the widgets' informers, by version.
func (w *widgets) eventuallyLeased(versions ...string) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		var now []string
		for _, s := range w.Kit.Pool.Stats() {
			if s.Resource.Group == w.Group && s.Leases > 0 {
				now = append(now, s.Resource.Version)
			}
		}
		slices.Sort(now)
		if diff := cmp.Diff(strings.Join(versions, " "), strings.Join(now, " ")); diff != "" {
			return fmt.Errorf("leased versions (-want +got):\n%s", diff)
		}
		return nil
	})
}

// Custom resources are counted soon after they are defined, and not for longer.
func TestCustomResources(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Kit.Pool = informer.NewPool(informer.Clients{Typed: h.Admin, Metadata: h.Kit.Metadata}, informer.Options{Linger: time.Millisecond})
	t.Cleanup(h.Kit.Pool.Close)
	run := h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.limit("q", "pods=9 "+w.count()+"=9")
	w.eventually("q", "pods=0")
	keys := func() (list []string) {
		for _, s := range h.Kit.Pool.Stats() {
			list = append(list, s.Key)
		}
		return list
	}
	before := keys()
	w.Define()
	w.create("a", "b")
	w.eventually("q", "pods=0 "+w.count()+"=2")
	if err := w.Widgets("v1").Delete(context.Background(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "pods=0 "+w.count()+"=1")
	w.Undefine()
	w.eventually("q", "pods=0 "+w.count()+"=0")
	w.eventuallyLeased()
	testkit.Eventually(t, harness.Timeout, func() error {
		if diff := cmp.Diff(before, keys()); diff != "" {
			return fmt.Errorf("informers (-before +after):\n%s", diff)
		}
		return nil
	})

	// What goes while nobody looks is not used any more either.
	w.Define()
	w.create("c")
	w.eventually("q", "pods=0 "+w.count()+"=1")
	run.Stop()
	w.Undefine()
	h.Start(quick(), nil)
	w.eventually("q", "pods=0 "+w.count()+"=0")
}

// When the preferred version changes, the count stays what it is.
func TestVersionChange(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.Define()
	w.limit("q", w.count()+"=9")
	w.eventually("q", w.count()+"=0")
	w.create("a", "b")
	w.eventually("q", w.count()+"=2")
	w.Redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
		s.Versions = append(s.Versions, widget.Version("v2", false))
	})
	w.eventuallyLeased("v2")
	if err := w.Widgets("v1").Delete(context.Background(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", w.count()+"=1")
}

// A resource whose objects cannot be listed delays nothing but its own count.
func TestResourceThatCannotBeListed(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWidgets(newWorld(t, h))
	w.Define()
	w.create("stored-as-v1")
	w.BreakConversion()
	w.limit("both", "secrets=9 "+w.count()+"=9")
	w.limit("others", "secrets=9")

	run := h.Start(describe(timing{period: 200 * time.Millisecond, patience: time.Hour}), nil)
	w.eventually("others", "secrets=0")
	w.eventuallyLeased("v2")
	// Limits come into force with their numbers.
	if q := w.quota("both"); len(q.Status.Hard) > 0 {
		t.Errorf("in force is %v, used %v", amounts(q.Status.Hard), amounts(q.Status.Used))
	}
	run.Stop()

	h.Start(describe(timing{period: 200 * time.Millisecond, patience: time.Second}), nil)
	w.eventually("both", "secrets=0") // not for ever
	w.RepairConversion()
	w.eventually("both", "secrets=0 "+w.count()+"=1")
}

// A group whose server is away delays nothing, and nothing of it is forgotten.
func TestPartialDiscovery(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWidgets(newWorld(t, h))
	ctx := context.Background()
	group := w.ns + ".broken.example.com"
	services := dynamic.NewForConfigOrDie(w.AdminConfig).Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	broken := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1." + group},
		"spec": map[string]any{
			"group": group, "version": "v1", "insecureSkipTLSVerify": true, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"service": map[string]any{"namespace": "default", "name": "nobody"},
		},
	}}
	w.limit("q", "secrets=9 count/things."+group+"=9")
	w.pretend("q", "count/things."+group+"=4")
	if _, err := services.Create(ctx, broken, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		_, _, err := h.Admin.Discovery().ServerGroupsAndResources()
		if err == nil {
			return fmt.Errorf("discovery does not fail yet")
		}
		return nil
	})
	h.Start(quick(), nil)
	w.eventually("q", "secrets=0 count/things."+group+"=4")
	w.Define()
	w.limit("custom", w.count()+"=9")
	w.eventually("custom", w.count()+"=0")
	if err := services.Delete(ctx, "v1."+group, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}
