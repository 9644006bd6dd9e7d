// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// Names of the indexes. They are private: the functions of this package that
// use them know what their values mean.
const (
	byController = "controller"
	byLabel      = "label"
	bySelector   = "selector"
	byService    = "service"
)

// anySelector is the index value of selectors that require no single label.
const anySelector = "*"

func controllerKey(namespace, kind, name string, uid types.UID) string {
	return namespace + "/" + kind + "/" + name + "/" + string(uid)
}

// controllerIndex files an object under its controller, or under its namespace
// when it has none.
func controllerIndex(obj any) ([]string, error) {
	o, ok := obj.(metav1.Object)
	if !ok {
		return nil, nil
	}
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil {
		return []string{controllerKey(o.GetNamespace(), ref.Kind, ref.Name, ref.UID)}, nil
	}
	return []string{o.GetNamespace()}, nil
}

// labelIndex files an object under each of its labels but those that tell
// revisions apart: a selector that names one names another label too.
func labelIndex(obj any) ([]string, error) {
	o, ok := obj.(metav1.Object)
	if !ok {
		return nil, nil
	}
	keys := make([]string, 0, len(o.GetLabels()))
	for k, v := range o.GetLabels() {
		if isRevisionLabel(k) {
			continue
		}
		keys = append(keys, labelKey(o.GetNamespace(), k, v))
	}
	return keys, nil
}

func isRevisionLabel(key string) bool {
	return key == "pod-template-hash" || key == "controller-revision-hash" || key == "pod-template-generation"
}

func labelKey(namespace, key, value string) string { return namespace + "/" + key + "=" + value }

// selectorIndex files an object under the one label its selector requires that
// is likely the rarest (the longest), or under anySelector. An object without a
// selector, or with an empty one, selects nothing and is filed nowhere.
func selectorIndex[T Object](selector func(T) *metav1.LabelSelector) cache.IndexFunc {
	return func(obj any) ([]string, error) {
		o, ok := obj.(T)
		if !ok {
			return nil, nil
		}
		s := selector(o)
		if s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
			return nil, nil
		}
		best := ""
		for k, v := range s.MatchLabels {
			if key := labelKey(o.GetNamespace(), k, v); len(key) > len(best) || len(key) == len(best) && key > best {
				best = key
			}
		}
		if best == "" {
			best = o.GetNamespace() + "/" + anySelector
		}
		return []string{best}, nil
	}
}

// Cache reads what a lease keeps up to date. All methods are cheap lookups; none
// walks a namespace unless its name says so.
type Cache[T Object] struct {
	indexer cache.Indexer
}

// Get is the object of that name, or false. The namespace of a cluster-scoped
// object is "".
func (c Cache[T]) Get(namespace, name string) (T, bool) {
	key := name
	if namespace != "" {
		key = namespace + "/" + name
	}
	var none T
	obj, found, err := c.indexer.GetByKey(key)
	if err != nil || !found {
		return none, false
	}
	t, ok := obj.(T)
	return t, ok
}

// ResourceVersion is how far the cache has come: the newest version it has seen,
// of an object or of the watch itself. Empty before it is filled.
func (c Cache[T]) ResourceVersion() string { return c.indexer.LastStoreSyncResourceVersion() }

// List is every object of the cache, in no order.
func (c Cache[T]) List() []T { return cast[T](c.indexer.List()) }

// InNamespace is every object of a namespace, in no order.
func (c Cache[T]) InNamespace(namespace string) []T {
	return c.lookup(cache.NamespaceIndex, namespace)
}

// CountIn is how many objects a namespace has.
func (c Cache[T]) CountIn(namespace string) int {
	keys, err := c.indexer.IndexKeys(cache.NamespaceIndex, namespace)
	if err != nil {
		panic(fmt.Sprintf("cache lookup: %v", err)) // every kind has that index
	}
	return len(keys)
}

// ControlledBy are the objects whose controller reference names this owner, by
// kind, name and UID.
func (c Cache[T]) ControlledBy(namespace, kind, name string, uid types.UID) []T {
	return c.lookup(byController, controllerKey(namespace, kind, name, uid))
}

// Orphans are the objects of a namespace that have no controller.
func (c Cache[T]) Orphans(namespace string) []T { return c.lookup(byController, namespace) }

// Selecting are the objects of a namespace that may select these labels: the
// caller must still match their selectors.
func (c Cache[T]) Selecting(namespace string, set map[string]string) []T {
	if len(set) == 0 {
		return nil
	}
	found := c.lookup(bySelector, namespace+"/"+anySelector)
	for k, v := range set {
		found = append(found, c.lookup(bySelector, labelKey(namespace, k, v))...)
	}
	return found
}

// Matching are the objects of a namespace whose labels match the selector. The
// cost is that of the rarest label the selector requires; only a selector that
// requires no label walks the namespace.
func (c Cache[T]) Matching(namespace string, selector labels.Selector) []T {
	var matched []T
	for _, o := range c.candidates(namespace, selector) {
		if selector.Matches(labels.Set(o.GetLabels())) {
			matched = append(matched, o)
		}
	}
	return matched
}

func (c Cache[T]) candidates(namespace string, selector labels.Selector) []T {
	requirements, selectable := selector.Requirements()
	if !selectable {
		return nil
	}
	var keys []string
	best := -1
	for _, r := range requirements {
		equals := r.Operator() == selection.Equals || r.Operator() == selection.DoubleEquals || r.Operator() == selection.In
		if !equals || r.ValuesUnsorted() == nil || len(r.ValuesUnsorted()) != 1 || isRevisionLabel(r.Key()) {
			continue
		}
		value := r.ValuesUnsorted()[0]
		found, err := c.indexer.IndexKeys(byLabel, labelKey(namespace, r.Key(), value))
		if err != nil {
			return c.InNamespace(namespace)
		}
		if best < 0 || len(found) < best {
			keys, best = found, len(found)
		}
	}
	if best < 0 {
		return c.InNamespace(namespace)
	}
	objects := make([]T, 0, len(keys))
	for _, key := range keys {
		if obj, found, err := c.indexer.GetByKey(key); err == nil && found {
			if t, ok := obj.(T); ok {
				objects = append(objects, t)
			}
		}
	}
	return objects
}

// OfService are the EndpointSlices whose label names this Service.
func (c Cache[T]) OfService(namespace, service string) []T {
	return c.lookup(byService, namespace+"/"+service)
}

func (c Cache[T]) lookup(index, value string) []T {
	objects, err := c.indexer.ByIndex(index, value)
	if err != nil {
		// Only a kind without that index can get here, at the first test run.
		panic(fmt.Sprintf("cache lookup: %v", err))
	}
	return cast[T](objects)
}

func cast[T Object](objects []any) []T {
	list := make([]T, 0, len(objects))
	for _, o := range objects {
		if t, ok := o.(T); ok {
			list = append(list, t)
		}
	}
	return list
}
