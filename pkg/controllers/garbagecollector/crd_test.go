// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// widgets is a custom resource of its own group.
type widgets struct {
	*world
	definitions apiextensions.Interface
	objects     dynamic.Interface
	group       string
}

func newWidgets(w *world) *widgets {
	w.t.Helper()
	definitions, err := apiextensions.NewForConfig(w.AdminConfig)
	if err != nil {
		w.t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(w.AdminConfig)
	if err != nil {
		w.t.Fatal(err)
	}
	return &widgets{world: w, definitions: definitions, objects: objects, group: w.ns + ".example.com"}
}

func (w *widgets) resource(version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: w.group, Version: version, Resource: "widgets"}
}

func (w *widgets) widgets() dynamic.ResourceInterface {
	return w.objects.Resource(w.resource("v1")).Namespace(w.ns)
}

func version(name string, stored bool) apiextensionsv1.CustomResourceDefinitionVersion {
	return apiextensionsv1.CustomResourceDefinitionVersion{
		Name: name, Served: true, Storage: stored,
		Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
	}
}

// define creates the definition and waits until the resource is served.
func (w *widgets) define(versions ...apiextensionsv1.CustomResourceDefinitionVersion) *apiextensionsv1.CustomResourceDefinition {
	w.t.Helper()
	ctx := context.Background()
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: called("widgets." + w.group),
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: w.group, Scope: apiextensionsv1.NamespaceScoped, Versions: versions,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
		},
	}
	crd, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, crd, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	testkit.Eventually(w.t, harness.Timeout, func() error {
		_, err := w.objects.Resource(w.resource(versions[0].Name)).List(ctx, metav1.ListOptions{})
		return err
	})
	return crd
}

// undefine deletes the definition and waits until it is gone, with its objects.
func (w *widgets) undefine() {
	w.t.Helper()
	ctx := context.Background()
	crds := w.definitions.ApiextensionsV1().CustomResourceDefinitions()
	if err := crds.Delete(ctx, "widgets."+w.group, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	eventuallyGone(w.t, "definition", func() error {
		_, err := crds.Get(ctx, "widgets."+w.group, metav1.GetOptions{})
		return err
	})
}

func (w *widgets) createWidget(m metav1.ObjectMeta) *unstructured.Unstructured {
	w.t.Helper()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(w.group + "/v1")
	o.SetKind("Widget")
	o.SetName(m.Name)
	o.SetOwnerReferences(m.OwnerReferences)
	o, err := w.widgets().Create(context.Background(), o, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *widgets) ref(o metav1.Object) metav1.OwnerReference {
	return kindRef(w.group+"/v1", "Widget", o)
}

func (w *widgets) deleteWidget(name string, p metav1.DeletionPropagation) {
	w.t.Helper()
	if err := w.widgets().Delete(context.Background(), name, metav1.DeleteOptions{PropagationPolicy: &p}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *widgets) widgetEventuallyGone(name string) {
	w.t.Helper()
	eventuallyGone(w.t, name, func() error {
		_, err := w.widgets().Get(context.Background(), name, metav1.GetOptions{})
		return err
	})
}

// leases of the informers of the group.
func (w *widgets) leases() (n int) {
	for _, s := range w.Kit.Pool.Stats() {
		if s.Resource.Group == w.group {
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
		w.define(version("v1", true))
		w.eventuallyLeased(1)

		t.Run("custom owner, core dependent", func(t *testing.T) {
			owner := w.createWidget(called("owner"))
			w.create(called("child", blocking(w.ref(owner))))
			w.deleteWidget("owner", metav1.DeletePropagationForeground)
			w.widgetEventuallyGone("owner")
			w.eventuallyGone("child")
		})
		t.Run("core owner, custom dependent", func(t *testing.T) {
			owner := w.create(called("owner"))
			w.createWidget(called("child", blocking(ref(owner))))
			w.delete("owner", metav1.DeletePropagationForeground)
			w.eventuallyGone("owner")
			w.widgetEventuallyGone("child")
		})
		t.Run("orphaned custom dependents", func(t *testing.T) {
			owner, other := w.create(called("owner")), w.create(called("other"))
			w.createWidget(called("sole", ref(owner)))
			w.createWidget(called("shared", ref(owner), ref(other)))
			w.settle()
			w.delete("owner", metav1.DeletePropagationOrphan)
			w.eventuallyGone("owner")
			w.hasOwners("sole")
			w.hasOwners("shared", ref(other))
		})
		t.Run("a custom dependent loses one owner", func(t *testing.T) {
			owner, other := w.create(called("a")), w.create(called("b"))
			w.createWidget(called("two", ref(owner), ref(other)))
			w.settle()
			w.delete("a", metav1.DeletePropagationBackground)
			testkit.Eventually(t, harness.Timeout, func() error {
				o, err := w.widgets().Get(context.Background(), "two", metav1.GetOptions{})
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
			owner := w.createWidget(called("top"))
			middle := w.createWidget(called("middle", w.ref(owner)))
			w.create(called("below-1", w.ref(owner)))
			w.create(called("below-2", w.ref(middle)))
			w.settle()
			w.undefine()
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
		made = append(made, w.createWidget(called(name)))
	}
	for i, o := range made {
		refs := []metav1.OwnerReference{blocking(w.ref(made[(i+2)%3]))}
		body := asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": refs}})
		if _, err := w.widgets().Patch(context.Background(), o.GetName(), types.MergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
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
	o, err := w.widgets().Get(context.Background(), name, metav1.GetOptions{})
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
	crd := w.define(version("v1beta1", true))
	w.eventuallyLeased(1)
	ctx := context.Background()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(w.group + "/v1beta1")
	o.SetKind("Widget")
	o.SetName("owner")
	owner, err := w.objects.Resource(w.resource("v1beta1")).Namespace(w.ns).Create(ctx, o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.create(called("child", kindRef(w.group+"/v1beta1", "Widget", owner)))
	w.settle()

	serve := func(versions ...apiextensionsv1.CustomResourceDefinitionVersion) {
		t.Helper()
		testkit.Eventually(t, harness.Timeout, func() error {
			crds := w.definitions.ApiextensionsV1().CustomResourceDefinitions()
			now, err := crds.Get(ctx, crd.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			now.Spec.Versions = versions
			_, err = crds.Update(ctx, now, metav1.UpdateOptions{})
			return err
		})
	}
	serve(version("v1beta1", true), version("v1", false))
	testkit.Eventually(t, harness.Timeout, func() error {
		for _, s := range h.Kit.Pool.Stats() {
			if strings.Contains(s.Key, w.group) && (s.Leases == 1) != strings.Contains(s.Key, "v1,") {
				return fmt.Errorf("%s has %d leases", s.Key, s.Leases)
			}
		}
		return nil
	})
	// The version in the reference ceases to be served. That says nothing about
	// the owner.
	old := version("v1beta1", true)
	old.Served = false
	serve(old, version("v1", false))
	w.patch("child", `{"metadata":{"annotations":{"touched":"yes"}}}`)
	second := w.create(called("second", kindRef(w.group+"/v1beta1", "Widget", owner)))
	for range 3 {
		w.settle()
	}
	w.get("child")
	w.get(second.Name)
	w.deleteWidget("owner", metav1.DeletePropagationBackground)
	w.settle()
	w.undefine()
}
