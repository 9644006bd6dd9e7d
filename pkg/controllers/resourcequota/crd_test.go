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
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// widgets are custom resources of their own group.
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

// count is the name under which they are counted.
func (w *widgets) count() string { return "count/widgets." + w.group }

func (w *widgets) resource(version string) dynamic.ResourceInterface {
	return w.objects.Resource(schema.GroupVersionResource{Group: w.group, Version: version, Resource: "widgets"}).Namespace(w.ns)
}

func version(name string, stored bool) apiextensionsv1.CustomResourceDefinitionVersion {
	return apiextensionsv1.CustomResourceDefinitionVersion{
		Name: name, Served: true, Storage: stored,
		Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
	}
}

// define creates the definition and waits until the resource is served.
func (w *widgets) define() {
	w.t.Helper()
	ctx := context.Background()
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets." + w.group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: w.group, Scope: apiextensionsv1.NamespaceScoped, Versions: []apiextensionsv1.CustomResourceDefinitionVersion{version("v1", true)},
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
		},
	}
	if _, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, crd, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	testkit.Eventually(w.t, harness.Timeout, func() error {
		_, err := w.resource("v1").List(ctx, metav1.ListOptions{})
		return err
	})
}

func (w *widgets) redefine(change func(*apiextensionsv1.CustomResourceDefinitionSpec)) {
	w.t.Helper()
	ctx := context.Background()
	crds := w.definitions.ApiextensionsV1().CustomResourceDefinitions()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		now, err := crds.Get(ctx, "widgets."+w.group, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(&now.Spec)
		_, err = crds.Update(ctx, now, metav1.UpdateOptions{})
		return err
	})
}

// undefine deletes the definition and waits until it is gone, with its objects.
func (w *widgets) undefine() {
	w.t.Helper()
	ctx := context.Background()
	crds := w.definitions.ApiextensionsV1().CustomResourceDefinitions()
	if err := crds.Delete(ctx, "widgets."+w.group, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	testkit.Eventually(w.t, harness.Timeout, func() error {
		_, err := crds.Get(ctx, "widgets."+w.group, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the definition: %w", err)
		}
		return nil
	})
}

func (w *widgets) create(names ...string) {
	w.t.Helper()
	for _, name := range names {
		o := &unstructured.Unstructured{}
		o.SetAPIVersion(w.group + "/v1")
		o.SetKind("Widget")
		o.SetName(name)
		testkit.Eventually(w.t, harness.Timeout, func() error {
			_, err := w.resource("v1").Create(context.Background(), o, metav1.CreateOptions{})
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
			if s.Resource.Group == w.group && s.Leases > 0 {
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
	w.define()
	w.create("a", "b")
	w.eventually("q", "pods=0 "+w.count()+"=2")
	if err := w.resource("v1").Delete(context.Background(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "pods=0 "+w.count()+"=1")
	w.undefine()
	w.eventually("q", "pods=0 "+w.count()+"=0")
	w.eventuallyLeased()
	testkit.Eventually(t, harness.Timeout, func() error {
		if diff := cmp.Diff(before, keys()); diff != "" {
			return fmt.Errorf("informers (-before +after):\n%s", diff)
		}
		return nil
	})

	// What goes while nobody looks is not used any more either.
	w.define()
	w.create("c")
	w.eventually("q", "pods=0 "+w.count()+"=1")
	run.Stop()
	w.undefine()
	h.Start(quick(), nil)
	w.eventually("q", "pods=0 "+w.count()+"=0")
}

// When the preferred version changes, the count stays what it is.
func TestVersionChange(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWidgets(newWorld(t, h))
	w.define()
	w.limit("q", w.count()+"=9")
	w.eventually("q", w.count()+"=0")
	w.create("a", "b")
	w.eventually("q", w.count()+"=2")
	w.redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
		s.Versions = append(s.Versions, version("v2", false))
	})
	w.eventuallyLeased("v2")
	if err := w.resource("v1").Delete(context.Background(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", w.count()+"=1")
}

// A resource whose objects cannot be listed delays nothing but its own count.
func TestResourceThatCannotBeListed(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWidgets(newWorld(t, h))
	w.define()
	w.create("stored-as-v1")
	w.redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
		s.Versions = append(s.Versions, version("v2", false))
		s.Conversion = &apiextensionsv1.CustomResourceConversion{
			Strategy: apiextensionsv1.WebhookConverter,
			Webhook: &apiextensionsv1.WebhookConversion{
				ConversionReviewVersions: []string{"v1"},
				ClientConfig:             &apiextensionsv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/convert")},
			},
		}
	})
	ctx := context.Background()
	testkit.Eventually(t, harness.Timeout, func() error {
		// Clients repeat what fails for now, so this takes as long as one grants it.
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := w.resource("v2").List(short, metav1.ListOptions{})
		if err == nil || apierrors.IsNotFound(err) {
			return fmt.Errorf("the conversion does not fail yet: %v", err)
		}
		return nil
	})
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
	_, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Patch(ctx, "widgets."+w.group, types.MergePatchType,
		[]byte(`{"spec":{"conversion":{"strategy":"None","webhook":null}}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("both", "secrets=0 "+w.count()+"=1")
}

// A group whose server is away delays nothing, and nothing of it is forgotten.
func TestPartialDiscovery(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWidgets(newWorld(t, h))
	ctx := context.Background()
	group := w.ns + ".broken.example.com"
	services := w.objects.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
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
	w.define()
	w.limit("custom", w.count()+"=9")
	w.eventually("custom", w.count()+"=0")
	if err := services.Delete(ctx, "v1."+group, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}
