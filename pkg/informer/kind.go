// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// Object is what a cache holds.
type Object interface {
	metav1.Object
	runtime.Object
}

// Clients are what informers list and watch through; they carry the manager's
// own identity, not a controller's.
type Clients struct {
	Typed    kubernetes.Interface
	Metadata metadata.Interface
	// Namespace is the only one whose objects are cached, itself included. Empty:
	// all are.
	Namespace string
}

// Kind is a resource that can be cached as T. Two kinds with the same key share
// one informer.
type Kind[T Object] struct {
	resource schema.GroupVersionResource
	// variant tells apart several caches of one resource: whole objects,
	// metadata only, a selection of them.
	variant string
	open    func(Clients, time.Duration, cache.Indexers) cache.SharedIndexInformer
	indexes cache.Indexers
	// trim removes, from an object that only the cache knows yet, what no
	// controller reads.
	trim func(T)
}

// Source is a Kind whose type does not matter.
type Source interface {
	// Resource is what the kind lists and watches.
	Resource() schema.GroupVersionResource
	key() string
	build(Clients, time.Duration) (cache.SharedIndexInformer, error)
}

// Resource is what the kind lists and watches.
func (k Kind[T]) Resource() schema.GroupVersionResource { return k.resource }

func (k Kind[T]) key() string { return k.resource.String() + k.variant }

func (k Kind[T]) build(c Clients, resync time.Duration) (cache.SharedIndexInformer, error) {
	indexers := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	for name, f := range k.indexes {
		indexers[name] = f
	}
	inf := k.open(c, resync, indexers)
	if err := inf.SetTransform(k.transform); err != nil {
		return nil, fmt.Errorf("informer of %s: %w", k.resource, err)
	}
	return inf, nil
}

func (k Kind[T]) transform(obj any) (any, error) {
	if m, err := meta.Accessor(obj); err == nil && m.GetManagedFields() != nil {
		m.SetManagedFields(nil)
	}
	if t, ok := obj.(T); ok && k.trim != nil {
		k.trim(t)
	}
	return obj, nil
}

// Metadata is the kind that caches only the metadata of any resource, custom
// ones included.
func Metadata(resource schema.GroupVersionResource, scope meta.RESTScopeName) Kind[*metav1.PartialObjectMetadata] {
	return Kind[*metav1.PartialObjectMetadata]{
		resource: resource,
		variant:  "/metadata",
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			namespace := c.Namespace
			if scope == meta.RESTScopeNameRoot {
				namespace = metav1.NamespaceAll
			}
			return metadatainformer.NewFilteredMetadataInformer(c.Metadata, resource, namespace, resync, ix, nil).Informer()
		},
	}
}

// Any is the cheapest kind that has the metadata of a resource: one that
// controllers cache whole anyway, or metadata alone.
func Any(resource schema.GroupVersionResource, scope meta.RESTScopeName) Source {
	for _, s := range whole() {
		if s.Resource() == resource {
			return s
		}
	}
	return Metadata(resource, scope)
}
