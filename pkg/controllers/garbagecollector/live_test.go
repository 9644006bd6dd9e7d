// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// bare is a collector that does nothing by itself.
func bare(t *testing.T, h *harness.Harness) *collector {
	t.Helper()
	m, err := metadata.NewForConfig(h.AdminConfig)
	if err != nil {
		t.Fatal(err)
	}
	s, err := monitors.Discover(t.Context(), discovery.ToDiscoveryInterfaceWithContext(h.Admin.Discovery()))
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := s.Mapper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{metadata: m, graph: newGraph()}
	c.mapper.Store(&mapper)
	return c
}

// requests are the methods of what a collector sends.
type requests struct {
	http.RoundTripper
	methods []string
}

func (r *requests) RoundTrip(req *http.Request) (*http.Response, error) {
	r.methods = append(r.methods, req.Method)
	return r.RoundTripper.RoundTrip(req)
}

// knowing is a bare collector that has seen these objects, and what it sends.
func knowing(t *testing.T, h *harness.Harness, objects ...*corev1.ConfigMap) (*collector, *requests) {
	t.Helper()
	c, sent := bare(t, h), &requests{}
	config := rest.CopyConfig(h.AdminConfig)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		sent.RoundTripper = rt
		return sent
	})
	m, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c.metadata = m
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	for _, o := range objects {
		if err := store.Add(o); err != nil {
			t.Fatal(err)
		}
		c.graph.apply(observation("v1", "ConfigMap", nil, o))
	}
	c.stores.Store(&map[schema.GroupVersionKind]cache.Store{corev1.SchemeGroupVersion.WithKind("ConfigMap"): store})
	return c, sent
}

// The cache saves requests. Where it is behind, it decides nothing.
func TestCollectWhatTheCacheHas(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	ctx := context.Background()
	gone := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "gone", UID: "gone"}
	stays := w.create(called("stays"))
	owners := func(name string, refs ...metav1.OwnerReference) {
		w.patch(name, asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": refs}}))
	}
	for name, test := range map[string]struct {
		owners []metav1.OwnerReference
		change func(name string)
		sent   []string
		stays  bool
		absent bool
	}{
		"up to date":              {owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE"}},
		"another owner stays":     {owners: []metav1.OwnerReference{gone, ref(stays)}, sent: []string{"GET", "GET", "PATCH"}, stays: true},
		"its content has changed": {owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE", "GET", "DELETE"}, change: func(name string) { w.patch(name, `{"data":{"a":"b"}}`) }},
		"it has an owner again": {
			owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE", "GET", "GET"}, stays: true,
			change: func(name string) { owners(name, ref(stays)) },
		},
		"it has lost its owner": {
			owners: []metav1.OwnerReference{gone, ref(stays)}, sent: []string{"GET", "DELETE"},
			change: func(name string) { owners(name, gone) },
		},
		"it was orphaned": {
			owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE", "GET"}, stays: true,
			change: func(name string) { owners(name) },
		},
		"it is gone": {
			owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE"}, absent: true,
			change: func(name string) { w.delete(name, metav1.DeletePropagationBackground) },
		},
		"it is being deleted by now": {
			owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE", "GET"}, stays: true,
			change: func(name string) {
				w.patch(name, `{"metadata":{"finalizers":["example.com/hold"]}}`)
				w.delete(name, metav1.DeletePropagationBackground)
				w.t.Cleanup(func() { w.unfinalize(name) })
			},
		},
		"it is another": {
			owners: []metav1.OwnerReference{gone}, sent: []string{"DELETE", "GET"}, absent: true, stays: true,
			change: func(name string) {
				w.delete(name, metav1.DeletePropagationBackground)
				w.create(called(name, gone))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := w.create(metav1.ObjectMeta{GenerateName: "child-", OwnerReferences: test.owners})
			c, sent := knowing(t, w.Harness, stays, made)
			c.graph.absent.Add(identityOf(gone, w.ns), nil)
			n, _ := c.graph.find(made.UID)
			if test.change != nil {
				test.change(made.Name)
			}
			if err := c.collect(ctx, n); errors.Is(err, errAbsent) != test.absent || err != nil && !test.absent {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(test.sent, sent.methods); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			_, err := w.maps().Get(ctx, made.Name, metav1.GetOptions{})
			if stays := err == nil; stays != test.stays {
				t.Errorf("it stays: %v, want %v (%v)", stays, test.stays, err)
			}
		})
	}
}

func TestRemoveFinalizerThatTheCacheHas(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	made := w.create(finalized(called("o"), "x/y", "x/z"))
	t.Cleanup(func() { w.unfinalize("o") })
	i := objectIdentity("v1", "ConfigMap", made)
	c, sent := knowing(t, w.Harness, made)
	for _, test := range []struct {
		finalizer  string
		sent, left []string
	}{
		{"x/y", []string{"PATCH"}, []string{"x/z"}},
		{"x/none", []string{"GET"}, []string{"x/z"}},
		{"x/z", []string{"PATCH", "GET", "PATCH"}, nil}, // the cache is behind by now
	} {
		sent.methods = nil
		if err := c.removeFinalizer(context.Background(), i, test.finalizer); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.sent, sent.methods); diff != "" {
			t.Errorf("%s: requests (-want +got):\n%s", test.finalizer, diff)
		}
		if diff := cmp.Diff(test.left, w.get("o").Finalizers); diff != "" {
			t.Errorf("%s: finalizers (-want +got):\n%s", test.finalizer, diff)
		}
	}
}

func TestDeleteWhatHasChanged(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	c := bare(t, w.Harness)
	ctx := context.Background()
	owner, other := w.create(called("owner")), w.create(called("other"))
	touch := func(name string) { w.patch(name, `{"metadata":{"labels":{"touched":"yes"}}}`) }
	for name, test := range map[string]struct {
		change   func(name string)
		stays    bool
		conflict bool
		absent   bool
	}{
		"nothing":     {change: func(string) {}},
		"its content": {change: touch},
		"its owners": {conflict: true, stays: true, change: func(name string) {
			w.patch(name, asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": []metav1.OwnerReference{ref(other)}}}))
		}},
		"it was deleted": {absent: true, change: func(name string) { w.delete(name, metav1.DeletePropagationBackground) }},
		"it is another": {conflict: true, stays: true, change: func(name string) {
			w.delete(name, metav1.DeletePropagationBackground)
			w.create(called(name, ref(owner)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			made := w.create(metav1.ObjectMeta{GenerateName: "child-", OwnerReferences: []metav1.OwnerReference{ref(owner)}})
			i := objectIdentity("v1", "ConfigMap", made)
			o, err := c.get(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			test.change(made.Name)
			err = c.deleteAnyway(ctx, i, o, metav1.DeletePropagationBackground)
			if apierrors.IsConflict(err) != test.conflict || errors.Is(err, errAbsent) != test.absent {
				t.Errorf("got %v", err)
			}
			_, err = w.maps().Get(ctx, made.Name, metav1.GetOptions{})
			if stays := err == nil; stays != test.stays {
				t.Errorf("it stays: %v, want %v (%v)", stays, test.stays, err)
			}
		})
	}
}

func TestGet(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	c := bare(t, w.Harness)
	made := objectIdentity("v1", "ConfigMap", w.create(called("o")))
	with := func(change func(*identity)) identity {
		i := made
		change(&i)
		return i
	}
	for name, test := range map[string]struct {
		identity
		want error
		fits func(error) bool
	}{
		"itself":          {identity: made, fits: func(err error) bool { return err == nil }},
		"other name":      {identity: with(func(i *identity) { i.name = "p" }), want: errAbsent},
		"other namespace": {identity: with(func(i *identity) { i.namespace = "default" }), want: errAbsent},
		"other UID":       {identity: with(func(i *identity) { i.uid = "u" }), want: errAbsent},
		"other kind":      {identity: with(func(i *identity) { i.kind = "Secret" }), want: errAbsent},
		"cluster-scoped":  {identity: with(func(i *identity) { i.kind = "Node" }), want: errAbsent},
		"no namespace":    {identity: with(func(i *identity) { i.namespace = "" }), want: errUnowned},
		"unknown kind":    {identity: with(func(i *identity) { i.kind = "Unknown" }), fits: isUnserved},
		"unknown version": {identity: with(func(i *identity) { i.apiVersion = "v9" }), fits: isUnserved},
		"unknown group":   {identity: with(func(i *identity) { i.apiVersion = "unknown.group/v1" }), fits: isUnserved},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.get(context.Background(), test.identity)
			if test.want != nil && !errors.Is(err, test.want) || test.fits != nil && !test.fits(err) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	t.Run("a version that was served", func(t *testing.T) {
		// The server's answer to a path that it does not know.
		err := w.Admin.CoreV1().RESTClient().Get().AbsPath("/apis/example.com/v1/namespaces/default/widgets/w").Do(context.Background()).Error()
		if isAbsent(err) || !isUnserved(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUnblock(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	c := bare(t, w.Harness)
	ctx := context.Background()
	a, b := w.create(called("a")), w.create(called("b"))
	made := w.create(called("o", blocking(ref(a)), ref(b)))
	i := objectIdentity("v1", "ConfigMap", made)
	o, err := c.get(ctx, i)
	if err != nil {
		t.Fatal(err)
	}
	if o, err = c.unblock(ctx, i, o); err != nil {
		t.Fatal(err)
	}
	want := []metav1.OwnerReference{unblocked([]metav1.OwnerReference{ref(a)})[0], ref(b)}
	if diff := cmp.Diff(want, o.OwnerReferences); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	again, err := c.unblock(ctx, i, o)
	if err != nil || again != o {
		t.Errorf("an object that blocks nothing was written: %v", err)
	}
}

func TestRemoveFinalizer(t *testing.T) {
	w := newWorld(t, harness.New(t, shared.Plane(t)))
	c := bare(t, w.Harness)
	ctx := context.Background()
	made := w.create(finalized(called("o"), "x/y", "x/z"))
	i := objectIdentity("v1", "ConfigMap", made)
	for _, want := range [][]string{{"x/z"}, {"x/z"}} { // the second time it is not there any more
		if err := c.removeFinalizer(ctx, i, "x/y"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.get("o").Finalizers); diff != "" {
			t.Errorf("finalizers (-want +got):\n%s", diff)
		}
	}
	other := i
	other.uid = "other"
	if err := c.removeFinalizer(ctx, other, "x/z"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x/z"}, w.get("o").Finalizers); diff != "" {
		t.Errorf("the finalizer of another object was removed (-want +got):\n%s", diff)
	}
	if err := c.removeFinalizer(ctx, i, "x/z"); err != nil {
		t.Fatal(err)
	}
	if left := w.get("o").Finalizers; len(left) > 0 {
		t.Errorf("finalizers %v are left", left)
	}
}
