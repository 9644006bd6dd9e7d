// SPDX-License-Identifier: Apache-2.0

package monitors

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

func TestResourcesOf(t *testing.T) {
	all := metav1.Verbs{"create", "delete", "get", "list", "watch"}
	got := resourcesOf([]*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: all},
			{Name: "nodes", Kind: "Node", Verbs: all},
			{Name: "nothing", Kind: "Nothing"},
		}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments", Kind: "Deployment", Namespaced: true, Verbs: all}}},
		{GroupVersion: "not/a/version", APIResources: []metav1.APIResource{{Name: "x", Kind: "X", Verbs: all}}},
	})
	want := Resources{
		{Version: "v1", Resource: "pods"}:  {schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, true, all},
		{Version: "v1", Resource: "nodes"}: {schema.GroupVersionKind{Version: "v1", Kind: "Node"}, false, all},
		{Group: "apps", Version: "v1", Resource: "deployments"}: {
			schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, true, all,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func TestCan(t *testing.T) {
	r := Resource{Verbs: metav1.Verbs{"get", "list"}}
	for _, tc := range []struct {
		verbs []string
		want  bool
	}{{nil, true}, {[]string{"list"}, true}, {[]string{"list", "get"}, true}, {[]string{"list", "watch"}, false}} {
		if got := r.Can(tc.verbs...); got != tc.want {
			t.Errorf("%v: %v", tc.verbs, got)
		}
	}
}

func TestWanted(t *testing.T) {
	set := func(names ...string) Resources {
		list := Resources{}
		for _, name := range names {
			gvr, gr := schema.ParseResourceArg(name)
			if gvr == nil {
				t.Fatal(gr)
			}
			list[*gvr] = Resource{Kind: gvr.GroupVersion().WithKind(gvr.Resource)}
		}
		return list
	}
	down := map[schema.GroupVersion]error{{Group: "down", Version: "v1"}: errors.New("no backend")}
	for name, test := range map[string]struct {
		served, synced, want Resources
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
		"not chosen": {
			served: set("a.v1.up", "b.v1.up", "b.v1.other"), ignored: map[schema.GroupResource]bool{{Group: "up", Resource: "b"}: true},
			want: set("a.v1.up", "b.v1.other"),
		},
	} {
		choice := func(r schema.GroupVersionResource, _ Resource) bool { return !test.ignored[r.GroupResource()] }
		s := &Served{Resources: test.served, Failed: test.failed}
		if diff := cmp.Diff(test.want, s.Wanted(choice, test.synced)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, kind := range s.Sources(choice) {
			if _, found := test.want[kind.Resource()]; !found {
				t.Errorf("%s: %s would be watched", name, kind.Resource())
			}
		}
	}
}

func TestDiscover(t *testing.T) {
	fake := &fakediscovery.FakeDiscovery{Fake: &clienttesting.Fake{}}
	fake.Resources = []*metav1.APIResourceList{{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "bindings", Verbs: metav1.Verbs{"create"}}}}}
	if s, err := Discover(t.Context(), discovery.ToDiscoveryInterfaceWithContext(fake)); err == nil {
		t.Errorf("an empty answer counts as %v", s.Resources)
	}
	verbs := metav1.Verbs{"delete", "list", "watch"}
	fake.Resources = []*metav1.APIResourceList{{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{
		{Name: "widgets", Kind: "Widget", Namespaced: true, Verbs: verbs},
	}}}
	s, err := Discover(t.Context(), discovery.ToDiscoveryInterfaceWithContext(fake))
	if err != nil {
		t.Fatal(err)
	}
	gv := schema.GroupVersion{Group: "example.com", Version: "v1"}
	if diff := cmp.Diff(Resources{gv.WithResource("widgets"): {gv.WithKind("Widget"), true, verbs}}, s.Resources); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	mapper, err := s.Mapper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapper.RESTMapping(gv.WithKind("Widget").GroupKind(), gv.Version)
	if err != nil || m.Resource != gv.WithResource("widgets") || m.Scope.Name() != meta.RESTScopeNameNamespace {
		t.Errorf("mapping %v, %v", m, err)
	}
}
