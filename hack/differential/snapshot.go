// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Cluster is one control plane as scenarios see it.
type Cluster struct {
	Typed   kubernetes.Interface
	Dynamic dynamic.Interface
	Mapper  meta.ResettableRESTMapper

	rest   rest.Interface
	mirror *mirror
}

// NewCluster connects to a control plane.
func NewCluster(cfg *rest.Config) (*Cluster, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = -1, -1
	cfg.WarningHandler = rest.NoWarnings{}
	typed, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return &Cluster{
		Typed: typed, Dynamic: dyn, rest: typed.Discovery().RESTClient(),
		Mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(typed.Discovery())),
	}, nil
}

// mapping finds the resource of Kind or Kind.group.
func (c *Cluster) mapping(kind string) (*meta.RESTMapping, error) {
	gk := schema.ParseGroupKind(kind)
	if strings.Contains(kind, ".") {
		m, err := c.Mapper.RESTMapping(gk)
		if meta.IsNoMatchError(err) { // of a kind that was defined a moment ago
			c.Mapper.Reset()
			m, err = c.Mapper.RESTMapping(gk)
		}
		return m, err
	}
	for _, group := range []string{"", "apps", "batch", "policy", "autoscaling", "rbac.authorization.k8s.io", "discovery.k8s.io", "certificates.k8s.io",
		"networking.k8s.io", "coordination.k8s.io", "storage.k8s.io", "apiextensions.k8s.io", "admissionregistration.k8s.io", "resource.k8s.io"} {
		if m, err := c.Mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind}); err == nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("unknown kind %q: other groups than those of Kubernetes are named, as Kind.group", kind)
}

func (c *Cluster) resource(kind, namespace string) (dynamic.ResourceInterface, error) {
	m, err := c.mapping(kind)
	if err != nil {
		return nil, err
	}
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.Dynamic.Resource(m.Resource).Namespace(namespace), nil
	}
	return c.Dynamic.Resource(m.Resource), nil
}

// find returns the selected objects, sorted by name.
func (c *Cluster) find(ctx context.Context, s Selection, namespace string) ([]unstructured.Unstructured, error) {
	if s.Object != "" {
		kind, name, _ := strings.Cut(s.Object, "/")
		if other, rest, ok := strings.Cut(name, "/"); ok {
			namespace, name = other, rest
		}
		r, err := c.resource(kind, namespace)
		if err != nil {
			return nil, err
		}
		o, err := r.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return []unstructured.Unstructured{*o}, nil
	}
	kind, other, ok := strings.Cut(s.Objects, "/")
	if ok {
		namespace = other
	}
	r, err := c.resource(kind, namespace)
	if err != nil {
		return nil, err
	}
	list, err := r.List(ctx, metav1.ListOptions{LabelSelector: s.Where})
	if err != nil {
		return nil, err
	}
	items := list.Items
	if s.If != "" {
		cond, err := compile(s.If)
		if err != nil {
			return nil, err
		}
		items = slices.DeleteFunc(items, func(u unstructured.Unstructured) bool { return cond.holds(u.Object, nil) != nil })
	}
	slices.SortFunc(items, func(a, b unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) })
	if s.First > 0 {
		if len(items) < s.First {
			return nil, fmt.Errorf("%d of %d %s that are %s %s", len(items), s.First, s.Objects, s.Where, s.If)
		}
		items = items[:s.First]
	}
	return items, nil
}

// uncompared are kinds that say nothing about what controllers do, or that say it twice.
var uncompared = map[schema.GroupResource]bool{
	{Group: "events.k8s.io", Resource: "events"}: true,
	{Group: "metrics.k8s.io", Resource: "pods"}:  true,
}

// namespaced are the resources that are read, each in its preferred version.
func (c *Cluster) namespaced() ([]schema.GroupVersionResource, error) {
	lists, err := discovery.ServerPreferredNamespacedResources(c.Typed.Discovery())
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	lists = discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "create"}}, lists)
	all, err := discovery.GroupVersionResources(lists)
	if err != nil {
		return nil, err
	}
	var out []schema.GroupVersionResource
	for gvr := range all {
		if !uncompared[gvr.GroupResource()] {
			out = append(out, gvr)
		}
	}
	return out, nil
}
