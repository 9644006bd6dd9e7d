// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"errors"
	"strings"

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

// defined are the definitions that the scenario of a namespace has made.
func (m *mirror) defined(namespace string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, o := range m.definitions.List() {
		d := o.(*unstructured.Unstructured)
		if group, _, _ := unstructured.NestedString(d.Object, "spec", "group"); strings.HasPrefix(group, namespace+".") {
			found = append(found, d)
		}
	}
	return found
}

// custom are the namespaced kinds that the scenario of a namespace has defined, in
// a version that is served. Those of others have no objects there.
func (m *mirror) custom(namespace string) []schema.GroupVersionResource {
	var kinds []schema.GroupVersionResource
	for _, u := range m.defined(namespace) {
		d := u.Object
		if scope, _, _ := unstructured.NestedString(d, "spec", "scope"); scope != "Namespaced" {
			continue
		}
		group, _, _ := unstructured.NestedString(d, "spec", "group")
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

// list reads all objects of these kinds, which are few.
func (c *Cluster) list(ctx context.Context, kinds []schema.GroupVersionResource, namespace string) ([]map[string]any, error) {
	var objects []map[string]any
	for _, gvr := range kinds {
		list, err := c.Dynamic.Resource(gvr).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsServiceUnavailable(err) {
			continue // of a definition that is going
		}
		if err != nil {
			return nil, err
		}
		for _, u := range list.Items {
			objects = append(objects, u.Object)
		}
	}
	return objects, nil
}
