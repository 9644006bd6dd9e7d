// SPDX-License-Identifier: Apache-2.0

// Package monitors follows what the API serves. A Set keeps, for every resource
// that its owner wants, a leased informer with a handler on it, and gives both
// back when the resource goes. One that cannot be listed is late and delays no
// other.
package monitors

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Resource is what discovery tells of a resource.
type Resource struct {
	Kind       schema.GroupVersionKind
	Namespaced bool
	Verbs      metav1.Verbs
}

// Can says whether all these verbs may be asked of the resource.
func (r Resource) Can(verbs ...string) bool {
	for _, v := range verbs {
		if !slices.Contains(r.Verbs, v) {
			return false
		}
	}
	return true
}

// same says whether the objects of both are watched in the same way.
func (r Resource) same(other Resource) bool {
	return r.Kind == other.Kind && r.Namespaced == other.Namespaced
}

// Resources in their preferred versions. Subresources are not among them.
type Resources map[schema.GroupVersionResource]Resource

// Choice says which resources somebody wants.
type Choice func(schema.GroupVersionResource, Resource) bool

// Served is one answer of discovery.
type Served struct {
	Resources Resources
	// Failed group versions may be served, but nothing is known of them.
	Failed map[schema.GroupVersion]error

	client discovery.DiscoveryInterfaceWithContext
}

// answer is a discovery client that has asked once and answers from that.
type answer struct {
	discovery.DiscoveryInterfaceWithContext
	groups *metav1.APIGroupList
	lists  map[schema.GroupVersion]*metav1.APIResourceList
	failed map[schema.GroupVersion]error
}

// GroupsAndMaybeResourcesWithContext is part of
// discovery.AggregatedDiscoveryInterfaceWithContext.
func (a *answer) GroupsAndMaybeResourcesWithContext(context.Context) (*metav1.APIGroupList,
	map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error,
) {
	return a.groups, a.lists, a.failed, nil
}

// ServerGroupsAndResourcesWithContext is part of
// discovery.DiscoveryInterfaceWithContext.
func (a *answer) ServerGroupsAndResourcesWithContext(ctx context.Context) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return discovery.ServerGroupsAndResourcesWithContext(ctx, a)
}

// Discover asks the API what it serves. An answer for some groups only is an
// answer; one without any resource that can be watched is none.
func Discover(ctx context.Context, client discovery.DiscoveryInterfaceWithContext) (*Served, error) {
	if whole, ok := client.(discovery.AggregatedDiscoveryInterfaceWithContext); ok {
		groups, lists, failed, err := whole.GroupsAndMaybeResourcesWithContext(ctx)
		if err != nil {
			return nil, err
		}
		client = &answer{client, groups, lists, failed}
	}
	lists, err := discovery.ServerPreferredResourcesWithContext(ctx, client)
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		return nil, err
	}
	s := &Served{Resources: resourcesOf(lists), Failed: failed, client: client}
	for _, r := range s.Resources {
		if r.Can("list", "watch") {
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("discovery found no resource that can be watched"), err)
}

func resourcesOf(lists []*metav1.APIResourceList) Resources {
	found := Resources{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if len(r.Verbs) > 0 {
				found[gv.WithResource(r.Name)] = Resource{Kind: gv.WithKind(r.Kind), Namespaced: r.Namespaced, Verbs: r.Verbs}
			}
		}
	}
	return found
}

// Mapper finds the resource of a kind, in all versions that are served. When the
// API server gives discovery in parts, this asks it again.
func (s *Served) Mapper(ctx context.Context) (meta.RESTMapper, error) {
	groups, err := restmapper.GetAPIGroupResourcesWithContext(ctx, s.client)
	if err != nil {
		return nil, err
	}
	return restmapper.NewDiscoveryRESTMapper(groups), nil
}

// Wanted are the resources to monitor: those of the choice that are served, and,
// where discovery failed, those that are monitored well already.
func (s *Served) Wanted(choice Choice, synced Resources) Resources {
	want := Resources{}
	for r, resource := range s.Resources {
		if choice(r, resource) {
			want[r] = resource
		}
	}
	for r, resource := range synced {
		if _, failed := s.Failed[r.GroupVersion()]; failed {
			want[r] = resource
		}
	}
	return want
}

// Sources are what a Set with this choice would watch now. Resources whose group
// cannot be discovered are left out.
func (s *Served) Sources(choice Choice) []informer.Source {
	var kinds []informer.Source
	for r, resource := range s.Wanted(choice, nil) {
		kinds = append(kinds, source(r, resource))
	}
	return kinds
}

func source(r schema.GroupVersionResource, resource Resource) informer.Source {
	scope := meta.RESTScopeNameRoot
	if resource.Namespaced {
		scope = meta.RESTScopeNameNamespace
	}
	return informer.Any(r, scope)
}
