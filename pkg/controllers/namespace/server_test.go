// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// cacheOf is a cache that stands still.
func cacheOf(list ...*corev1.Namespace) *informer.Cache[*corev1.Namespace] {
	return new(informer.CacheOf(informer.Namespaces(), list...))
}

func respond(r *http.Request, code int, contentType string, body []byte) *http.Response {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}
}

func refuse(r *http.Request, code int, reason metav1.StatusReason) *http.Response {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: "refused by the test",
	})
	if err != nil {
		panic(err)
	}
	return respond(r, code, "application/json", body)
}

func TestAggregatedAPIDown(t *testing.T) {
	f := start(t)
	services := dynamic.NewForConfigOrDie(f.AdminConfig).Resource(schema.GroupVersionResource{
		Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	const group, name = "down.example.com", "v1.down.example.com"
	_, err := services.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"group": group, "version": "v1", "groupPriorityMinimum": int64(100), "versionPriority": int64(10),
			"insecureSkipTLSVerify": true,
			"service":               map[string]any{"namespace": "default", "name": "no-such-service"},
		},
	}}, metav1.CreateOptions{})
	f.Must(err)
	t.Cleanup(func() { _ = services.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	known := func() bool {
		_, _, err := f.Admin.Discovery().ServerGroupsAndResources()
		return err != nil && strings.Contains(err.Error(), group)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		if !known() {
			return errors.New("discovery does not tell")
		}
		return nil
	})

	ns := f.Namespace()
	f.configMap(ns, "content")
	f.delete(ns)
	err = f.sync(ns)
	if err == nil || !strings.Contains(err.Error(), group) {
		t.Errorf("got %v", err)
	}
	if f.hasConfigMap(ns, "content") {
		t.Error("what is known was not emptied")
	}
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		0: bad(0, "DiscoveryFailed", "Discovery failed for some groups, 1 failing: "+message(err)),
	})
	if said := f.line.said("PUT", ns+"/finalize"); len(said) > 0 {
		t.Errorf("it was let go: %v", said)
	}

	f.Must(services.Delete(t.Context(), name, metav1.DeleteOptions{}))
	testkit.Eventually(t, harness.Timeout, func() error {
		if known() {
			return errors.New("discovery still fails")
		}
		return nil
	})
	f.synced(ns, nil)
	f.Must(f.gone(ns))
}

func TestCollectionNotFound(t *testing.T) {
	f := start(t)
	first, second := f.Namespace(), f.Namespace()
	for _, ns := range []string{first, second} {
		f.configMap(ns, "content")
		f.delete(ns)
	}
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/"+first+"/configmaps") {
			return refuse(r, http.StatusNotFound, metav1.StatusReasonNotFound), nil
		}
		return next.RoundTrip(r)
	})
	// Nobody can list the kind, so there is nothing of it.
	f.synced(first, nil)
	f.Must(f.gone(first))
	if said := f.line.said("DELETE", "/"+first+"/configmaps"); len(said) != 1 {
		t.Errorf("deleted: %v", said)
	}
	f.synced(second, nil)
	f.Must(f.gone(second))
	if said := f.line.said("DELETE", "/"+second+"/configmaps"); len(said) != 1 || !strings.HasSuffix(said[0], "/configmaps") {
		t.Errorf("what one namespace met is remembered: %v", said)
	}
}

func TestCollectionRefused(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "one")
	f.configMap(ns, "two")
	f.delete(ns)
	code, reason := http.StatusInternalServerError, metav1.StatusReasonInternalError
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/configmaps") {
			return refuse(r, code, reason), nil
		}
		return next.RoundTrip(r)
	})
	err := f.sync(ns)
	if err == nil {
		t.Fatal("no error")
	}
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		2: bad(2, "ContentDeletionFailed", "Failed to delete all resource types, 1 remaining: "+message(err)),
	})
	if said := f.line.writes("/" + ns + "/configmaps/"); len(said) > 0 {
		t.Errorf("deleted one by one: %v", said)
	}
	if _, err := f.Admin.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{}); err == nil {
		t.Error("another kind was not emptied")
	}
	// A server that does not offer it is another matter.
	code, reason = http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed
	f.synced(ns, nil)
	if said := f.line.said("DELETE", "/"+ns+"/configmaps/"); len(said) != 2 {
		t.Errorf("deleted one by one: %v, want 2", said)
	}
	f.Must(f.gone(ns))
}

func TestWithoutCollections(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "content")
	f.delete(ns)
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || r.URL.Path != "/api" && r.URL.Path != "/apis" {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		body = bytes.ReplaceAll(body, []byte(`"deletecollection"`), []byte(`"other"`))
		return respond(r, resp.StatusCode, resp.Header.Get("Content-Type"), body), nil
	})
	f.synced(ns, nil)
	f.Must(f.gone(ns))
	said := f.line.said("DELETE", "/"+ns+"/")
	if len(said) < 2 || len(f.line.said("DELETE", ns+"/configmaps/content")) != 1 {
		t.Errorf("deleted: %v", said)
	}
	for _, r := range said {
		if strings.Count(r, "/") < 6 {
			t.Errorf("a collection was deleted: %s", r)
		}
	}
}

func TestPodsThatCannotBeDeletedHoldAllElse(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "needed")
	f.pod(ns, "")
	f.delete(ns)
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/pods") {
			return refuse(r, http.StatusForbidden, metav1.StatusReasonForbidden), nil
		}
		return next.RoundTrip(r)
	})
	if err := f.sync(ns); err == nil || !strings.HasPrefix(err.Error(), "failed to delete pods for namespace: "+ns+", err: ") {
		t.Errorf("got %v", err)
	}
	if !f.hasConfigMap(ns, "needed") {
		t.Error("the config map went before the pod")
	}
	f.line.during(t, nil)
	f.synced(ns, nil)
	f.Must(f.gone(ns))
}

func TestFinalizeConflict(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.delete(ns)
	conflicts := 3
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if conflicts > 0 && strings.HasSuffix(r.URL.Path, "/finalize") {
			conflicts--
			return refuse(r, http.StatusConflict, metav1.StatusReasonConflict), nil
		}
		return next.RoundTrip(r)
	})
	f.synced(ns, nil)
	f.Must(f.gone(ns))
	if conflicts != 0 {
		t.Errorf("%d conflicts left", conflicts)
	}
}

func TestPersist(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	live, err := f.Admin.CoreV1().Namespaces().Get(ctx, f.Namespace(), metav1.GetOptions{})
	f.Must(err)
	conflict := func(context.Context, *corev1.Namespace) (*corev1.Namespace, error) {
		return f.c.client.CoreV1().Namespaces().UpdateStatus(ctx, &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: live.Name, ResourceVersion: "1"}}, metav1.UpdateOptions{})
	}
	old := live.DeepCopy()
	old.UID = "another"
	if _, err := f.c.persist(ctx, old, conflict); !errors.Is(err, errReplaced) {
		t.Errorf("got %v, want %v", err, errReplaced)
	}
	gone := live.DeepCopy()
	gone.Name += "-gone"
	if ns, err := f.c.persist(ctx, gone, f.c.release); ns != nil || err != nil {
		t.Errorf("a namespace that is gone: %v, %v", ns, err)
	}
	// Without an end of the conflicts only the context ends it.
	tries := 0
	_, err = f.c.persist(ctx, live, func(ctx context.Context, ns *corev1.Namespace) (*corev1.Namespace, error) {
		if tries++; tries == 5 {
			cancel()
		}
		return nil, conflictError(f, live.Name)
	})
	if !errors.Is(err, context.Canceled) || tries != 5 {
		t.Errorf("got %v after %d tries", err, tries)
	}
}

// conflictError is a real one.
func conflictError(f *fixture, name string) error {
	_, err := f.Admin.CoreV1().Namespaces().UpdateStatus(f.t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1"}}, metav1.UpdateOptions{})
	return err
}

func TestEmptyDiscoveryIsNotBelieved(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "content")
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.URL.Path != "/api" && r.URL.Path != "/apis" {
			return next.RoundTrip(r)
		}
		return respond(r, http.StatusOK, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
			[]byte(`{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[]}`)), nil
	})
	f.delete(ns)
	if err := f.sync(ns); !errors.Is(err, errNothingServed) {
		t.Errorf("got %v, want %v", err, errNothingServed)
	}
	if !f.hasConfigMap(ns, "content") {
		t.Error("the content was deleted")
	}
	f.line.during(t, nil)
	f.until(func() error { return errors.Join(f.sync(ns), f.gone(ns)) })
}

func TestCustomResources(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	crds := apiextensions.NewForConfigOrDie(f.AdminConfig).ApiextensionsV1().CustomResourceDefinitions()
	widgets := schema.GroupVersionResource{Group: "ns.example.com", Version: "v1", Resource: "widgets"}
	_, err := crds.Create(ctx, &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.ns.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: widgets.Group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
			}},
		},
	}, metav1.CreateOptions{})
	f.Must(err)
	t.Cleanup(func() { _ = crds.Delete(context.Background(), "widgets.ns.example.com", metav1.DeleteOptions{}) })

	ns := f.Namespace()
	objects := dynamic.NewForConfigOrDie(f.AdminConfig).Resource(widgets).Namespace(ns)
	testkit.Eventually(t, harness.Timeout, func() error {
		_, err := objects.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "ns.example.com/v1", "kind": "Widget",
			"metadata": map[string]any{"name": "held", "finalizers": []any{"example.com/hold"}},
		}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		lists, err := f.Admin.Discovery().ServerPreferredNamespacedResources()
		for _, l := range lists {
			if l.GroupVersion == "ns.example.com/v1" {
				return nil
			}
		}
		return fmt.Errorf("not discovered (%v)", err)
	})
	f.delete(ns)
	f.synced(ns, 8*seconds)
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		3: bad(3, "SomeResourcesRemain", "Some resources are remaining: widgets.ns.example.com has 1 resource instances"),
		4: bad(4, "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"),
	})
	held, err := objects.Get(ctx, "held", metav1.GetOptions{})
	f.Must(err)
	held.SetFinalizers(nil)
	_, err = objects.Update(ctx, held, metav1.UpdateOptions{})
	f.Must(err)
	f.synced(ns, nil)
	f.Must(f.gone(ns))
}
