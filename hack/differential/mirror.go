// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// mirror follows the namespaced objects of all kinds that a cluster is born with,
// and the definitions of others. A scenario is looked at several times before it
// has settled, and to list every kind each time would be most of a run's work.
type mirror struct {
	built       map[schema.GroupVersionResource]cache.Indexer
	definitions cache.Indexer
}

// Follow begins to watch what Snapshot reads, until the context ends.
func (c *Cluster) Follow(ctx context.Context) error {
	kinds, err := c.namespaced()
	if err != nil {
		return err
	}
	f := dynamicinformer.NewDynamicSharedInformerFactory(c.Dynamic, 0)
	m := &mirror{built: map[schema.GroupVersionResource]cache.Indexer{}, definitions: f.ForResource(definitions).Informer().GetIndexer()}
	for _, gvr := range kinds {
		m.built[gvr] = f.ForResource(gvr).Informer().GetIndexer()
	}
	f.Start(ctx.Done())
	for _, synced := range f.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return errors.New("the cluster cannot be followed")
		}
	}
	c.mirror = m
	return nil
}

// Snapshot is all objects of a namespace, the namespace itself if it is there, and
// those of the cluster that the scenario names. It may be behind by a moment.
func (c *Cluster) Snapshot(ctx context.Context, s *Scenario, namespace string) ([]map[string]any, error) {
	var objects []map[string]any
	for _, store := range c.mirror.built {
		found, err := store.ByIndex(cache.NamespaceIndex, namespace)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			objects = append(objects, o.(*unstructured.Unstructured).Object)
		}
	}
	custom, err := c.list(ctx, c.mirror.custom(namespace), namespace)
	if err != nil {
		return nil, err
	}
	rest, err := c.named(ctx, s, namespace)
	return append(append(objects, custom...), rest...), err
}

// custom are the namespaced kinds that the scenario of a namespace has defined, in
// a version that is served. Those of others have no objects there.
func (m *mirror) custom(namespace string) []schema.GroupVersionResource {
	var kinds []schema.GroupVersionResource
	for _, o := range m.definitions.List() {
		d := o.(*unstructured.Unstructured).Object
		group, _, _ := unstructured.NestedString(d, "spec", "group")
		if scope, _, _ := unstructured.NestedString(d, "spec", "scope"); scope != "Namespaced" || !strings.HasPrefix(group, namespace+".") {
			continue
		}
		plural, _, _ := unstructured.NestedString(d, "spec", "names", "plural")
		versions, _, _ := unstructured.NestedSlice(d, "spec", "versions")
		for _, v := range versions {
			version, _ := v.(map[string]any)
			if version["served"] == true {
				name, _ := version["name"].(string)
				kinds = append(kinds, schema.GroupVersionResource{Group: group, Version: name, Resource: plural})
				break
			}
		}
	}
	return kinds
}

// names are those of all definitions that the scenario of a namespace has made.
func (m *mirror) names(namespace string) []string {
	var names []string
	for _, o := range m.definitions.List() {
		u := o.(*unstructured.Unstructured)
		if group, _, _ := unstructured.NestedString(u.Object, "spec", "group"); strings.HasPrefix(group, namespace+".") {
			names = append(names, u.GetName())
		}
	}
	return names
}

// named are the namespace itself, if it is there, and the objects that the
// scenario names.
func (c *Cluster) named(ctx context.Context, s *Scenario, namespace string) ([]map[string]any, error) {
	var objects []map[string]any
	for _, object := range append([]string{"Namespace/" + namespace}, s.Cluster...) {
		list, err := c.find(ctx, Selection{Object: object}, namespace)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, list[0].Object)
	}
	return objects, nil
}

// list reads all objects of these kinds.
func (c *Cluster) list(ctx context.Context, kinds []schema.GroupVersionResource, namespace string) ([]map[string]any, error) {
	found := make([][]unstructured.Unstructured, len(kinds))
	g, inTime := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, gvr := range kinds {
		g.Go(func() error {
			list, err := c.Dynamic.Resource(gvr).Namespace(namespace).List(inTime, metav1.ListOptions{})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsServiceUnavailable(err) {
				return nil // of a definition that is going
			}
			if err != nil {
				return err
			}
			found[i] = list.Items
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var objects []map[string]any
	for _, items := range found {
		for _, u := range items {
			objects = append(objects, u.Object)
		}
	}
	return objects, nil
}
