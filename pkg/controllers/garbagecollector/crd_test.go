// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/widget"
)

// widgets is a custom resource of its own group.
type widgets struct {
	*world
	*widget.Kind
}

func newWidgets(w *world) *widgets {
	w.t.Helper()
	return &widgets{world: w, Kind: widget.New(w.t, w.AdminConfig, w.ns)}
}

func (w *widgets) ref(o metav1.Object) metav1.OwnerReference {
	return kindRef(w.Group+"/v1", "Widget", o)
}

func (w *widgets) deleteWidget(name string, p metav1.DeletionPropagation) {
	w.t.Helper()
	if err := w.Widgets("v1").Delete(context.Background(), name, metav1.DeleteOptions{PropagationPolicy: &p}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *widgets) widgetEventuallyGone(name string) {
	w.t.Helper()
	eventuallyGone(w.t, name, func() error {
		_, err := w.Widgets("v1").Get(context.Background(), name, metav1.GetOptions{})
		return err
	})
}

// leases of the informers of the group.
func (w *widgets) leases() (n int) {
	for _, s := range w.Kit.Pool.Stats() {
		if s.Resource.Group == w.Group {
			n += s.Leases
		}
	}
	return n
}

func (w *widgets) eventuallyLeased(n int) {
	w.t.Helper()
	testkit.Eventually(w.t, 2*harness.Timeout, func() error {
		if now := w.leases(); now != n {
			return fmt.Errorf("%d leases of informers, want %d", now, n)
		}
		return nil
	})
}

func TestCustomResources(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	for round := range 2 { // the same definition, created anew
		w.Define()
		w.eventuallyLeased(1)

		t.Run("custom owner, core dependent", func(t *testing.T) {
			owner := w.CreateWidget("owner")
			w.create(called("child", blocking(w.ref(owner))))
			w.deleteWidget("owner", metav1.DeletePropagationForeground)
			w.widgetEventuallyGone("owner")
			w.eventuallyGone("child")
		})
		t.Run("core owner, custom dependent", func(t *testing.T) {
			owner := w.create(called("owner"))
			w.CreateWidget("child", blocking(ref(owner)))
			w.delete("owner", metav1.DeletePropagationForeground)
			w.eventuallyGone("owner")
			w.widgetEventuallyGone("child")
		})
		t.Run("orphaned custom dependents", func(t *testing.T) {
			owner, other := w.create(called("owner")), w.create(called("other"))
			w.CreateWidget("sole", ref(owner))
			w.CreateWidget("shared", ref(owner), ref(other))
			w.settle()
			w.delete("owner", metav1.DeletePropagationOrphan)
			w.eventuallyGone("owner")
			w.hasOwners("sole")
			w.hasOwners("shared", ref(other))
		})
		t.Run("a custom dependent loses one owner", func(t *testing.T) {
			owner, other := w.create(called("a")), w.create(called("b"))
			w.CreateWidget("two", ref(owner), ref(other))
			w.settle()
			w.delete("a", metav1.DeletePropagationBackground)
			testkit.Eventually(t, harness.Timeout, func() error {
				o, err := w.Widgets("v1").Get(context.Background(), "two", metav1.GetOptions{})
				if err == nil && len(o.GetOwnerReferences()) != 1 {
					return fmt.Errorf("owners %v", o.GetOwnerReferences())
				}
				return err
			})
			w.delete("b", metav1.DeletePropagationBackground)
			w.widgetEventuallyGone("two")
		})
		t.Run("a cycle", func(*testing.T) { w.cycle() })
		t.Run("the definition goes, and all below it", func(t *testing.T) {
			owner := w.CreateWidget("top")
			middle := w.CreateWidget("middle", w.ref(owner))
			w.create(called("below-1", w.ref(owner)))
			w.create(called("below-2", w.ref(middle)))
			w.settle()
			w.Undefine()
			w.eventuallyGone("below-1", "below-2")
			w.eventuallyLeased(0)
		})
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		w.delete("other", metav1.DeletePropagationBackground)
	}
}

// cycle deletes one of three widgets that own each other.
func (w *widgets) cycle() {
	w.t.Helper()
	names := []string{"cycle-1", "cycle-2", "cycle-3"}
	var made []*unstructured.Unstructured
	for _, name := range names {
		made = append(made, w.CreateWidget(name))
	}
	for i, o := range made {
		refs := []metav1.OwnerReference{blocking(w.ref(made[(i+2)%3]))}
		body := asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": refs}})
		if _, err := w.Widgets("v1").Patch(context.Background(), o.GetName(), types.MergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.settle()
	w.deleteWidget("cycle-1", metav1.DeletePropagationForeground)
	for _, name := range names {
		w.widgetEventuallyGone(name)
	}
}

func (w *widgets) hasOwners(name string, want ...metav1.OwnerReference) {
	w.t.Helper()
	o, err := w.Widgets("v1").Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(want, o.GetOwnerReferences()); diff != "" {
		w.t.Errorf("owners of %s (-want +got):\n%s", name, diff)
	}
}

func keys(h *harness.Harness) []string {
	var list []string
	for _, s := range h.Kit.Pool.Stats() {
		list = append(list, s.Key)
	}
	return list
}

// When the preferred version changes, the resource is watched in the new one, and
// its objects stay what they are.
func TestVersionChange(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.Define(widget.Version("v1beta1", true))
	w.eventuallyLeased(1)
	owner, err := w.Widgets("v1beta1").Create(context.Background(), w.Widget("v1beta1", "owner"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.create(called("child", kindRef(w.Group+"/v1beta1", "Widget", owner)))
	w.settle()

	serve := func(versions ...apiextensionsv1.CustomResourceDefinitionVersion) {
		t.Helper()
		w.Redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) { s.Versions = versions })
	}
	serve(widget.Version("v1beta1", true), widget.Version("v1", false))
	testkit.Eventually(t, harness.Timeout, func() error {
		for _, s := range h.Kit.Pool.Stats() {
			if strings.Contains(s.Key, w.Group) && (s.Leases == 1) != strings.Contains(s.Key, "v1,") {
				return fmt.Errorf("%s has %d leases", s.Key, s.Leases)
			}
		}
		return nil
	})
	// The version in the reference ceases to be served. That says nothing about
	// the owner.
	old := widget.Version("v1beta1", true)
	old.Served = false
	serve(old, widget.Version("v1", false))
	w.patch("child", `{"metadata":{"annotations":{"touched":"yes"}}}`)
	second := w.create(called("second", kindRef(w.Group+"/v1beta1", "Widget", owner)))
	for range 3 {
		w.settle()
	}
	w.get("child")
	w.get(second.Name)
	w.deleteWidget("owner", metav1.DeletePropagationBackground)
	w.settle()
	w.Undefine()
}
