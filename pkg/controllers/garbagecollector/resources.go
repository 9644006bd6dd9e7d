// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
)

// resources are the kinds of resources that can be collected.
type resources map[schema.GroupVersionResource]schema.GroupVersionKind

// served is one answer of discovery.
type served struct {
	resources resources
	// failed group versions may be served, but nothing is known of them.
	failed map[schema.GroupVersion]error
	mapper meta.RESTMapper
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

// discover asks the API what it serves. An answer for some groups only is an
// answer.
func discover(ctx context.Context, client discovery.DiscoveryInterfaceWithContext) (*served, error) {
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
	found := collectable(lists)
	if len(found) == 0 {
		return nil, errors.Join(errors.New("discovery found no resource that can be collected"), err)
	}
	groups, err := restmapper.GetAPIGroupResourcesWithContext(ctx, client)
	if err != nil {
		return nil, err
	}
	return &served{resources: found, failed: failed, mapper: restmapper.NewDiscoveryRESTMapper(groups)}, nil
}

// collectable are the resources whose objects can be watched and deleted.
func collectable(lists []*metav1.APIResourceList) resources {
	found := resources{}
	verbs := discovery.SupportsAllVerbs{Verbs: []string{"delete", "list", "watch"}}
	for _, list := range discovery.FilteredBy(verbs, lists) {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			found[gv.WithResource(r.Name)] = gv.WithKind(r.Kind)
		}
	}
	return found
}

// wanted are the resources to monitor: all that are served but the ignored ones,
// and, where discovery failed, those that are monitored well already.
func wanted(s *served, ignored map[schema.GroupResource]bool, synced resources) resources {
	want := resources{}
	for r, kind := range s.resources {
		if !ignored[r.GroupResource()] {
			want[r] = kind
		}
	}
	for r, kind := range synced {
		if _, failed := s.failed[r.GroupVersion()]; failed {
			want[r] = kind
		}
	}
	return want
}
