// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	fakediscovery "k8s.io/client-go/discovery/fake"
	clienttesting "k8s.io/client-go/testing"
)

func TestCollectable(t *testing.T) {
	all := metav1.Verbs{"create", "delete", "get", "list", "watch"}
	got := collectable([]*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "pods", Kind: "Pod", Verbs: all},
			{Name: "pods/status", Kind: "Pod", Verbs: metav1.Verbs{"get", "patch"}},
			{Name: "bindings", Kind: "Binding", Verbs: metav1.Verbs{"create"}},
			{Name: "componentstatuses", Kind: "ComponentStatus", Verbs: metav1.Verbs{"get", "list"}},
		}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments", Kind: "Deployment", Verbs: all}}},
		{GroupVersion: "metrics.k8s.io/v1beta1", APIResources: []metav1.APIResource{{Name: "pods", Kind: "PodMetrics", Verbs: metav1.Verbs{"get", "list"}}}},
		{GroupVersion: "not/a/version", APIResources: []metav1.APIResource{{Name: "x", Kind: "X", Verbs: all}}},
	})
	want := resources{
		{Version: "v1", Resource: "pods"}:                       {Version: "v1", Kind: "Pod"},
		{Group: "apps", Version: "v1", Resource: "deployments"}: {Group: "apps", Version: "v1", Kind: "Deployment"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func TestWanted(t *testing.T) {
	set := func(names ...string) resources {
		r := resources{}
		for _, name := range names {
			gvr, gr := schema.ParseResourceArg(name)
			if gvr == nil {
				t.Fatal(gr)
			}
			r[*gvr] = gvr.GroupVersion().WithKind(gvr.Resource)
		}
		return r
	}
	down := map[schema.GroupVersion]error{{Group: "down", Version: "v1"}: errors.New("no backend")}
	for name, test := range map[string]struct {
		served, synced, want resources
		failed               map[schema.GroupVersion]error
		ignored              map[schema.GroupResource]bool
	}{
		"first":   {served: set("pods.v1.core", "a.v1.up"), want: set("pods.v1.core", "a.v1.up")},
		"removed": {served: set("a.v1.up"), synced: set("a.v1.up", "b.v1.up"), want: set("a.v1.up")},
		"failed group": {
			served: set("a.v1.up"), synced: set("a.v1.up", "a.v1.down", "b.v1.down"), failed: down,
			want: set("a.v1.up", "a.v1.down", "b.v1.down"),
		},
		"failed group, not synced": {served: set("a.v1.up"), synced: set("a.v1.up"), failed: down, want: set("a.v1.up")},
		"failed version":           {served: set("a.v2.down"), synced: set("a.v1.down"), failed: down, want: set("a.v1.down", "a.v2.down")},
		"ignored": {
			served: set("a.v1.up", "b.v1.up", "b.v1.other"), ignored: map[schema.GroupResource]bool{{Group: "up", Resource: "b"}: true},
			want: set("a.v1.up", "b.v1.other"),
		},
	} {
		got := wanted(&served{resources: test.served, failed: test.failed}, test.ignored, test.synced)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDiscover(t *testing.T) {
	fake := &fakediscovery.FakeDiscovery{Fake: &clienttesting.Fake{}}
	if s, err := discover(t.Context(), discovery.ToDiscoveryInterfaceWithContext(fake)); err == nil {
		t.Errorf("an empty answer counts as %v", s.resources)
	}
	fake.Resources = []*metav1.APIResourceList{{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{
		{Name: "widgets", Kind: "Widget", Namespaced: true, Verbs: metav1.Verbs{"delete", "list", "watch"}},
	}}}
	s, err := discover(t.Context(), discovery.ToDiscoveryInterfaceWithContext(fake))
	if err != nil {
		t.Fatal(err)
	}
	gv := schema.GroupVersion{Group: "example.com", Version: "v1"}
	if diff := cmp.Diff(resources{gv.WithResource("widgets"): gv.WithKind("Widget")}, s.resources); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	m, err := s.mapper.RESTMapping(gv.WithKind("Widget").GroupKind(), gv.Version)
	if err != nil || m.Resource != gv.WithResource("widgets") || m.Scope.Name() != meta.RESTScopeNameNamespace {
		t.Errorf("mapping %v, %v", m, err)
	}
}
