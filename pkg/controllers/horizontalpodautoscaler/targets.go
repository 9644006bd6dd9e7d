// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

// targets are the objects that can be scaled.
type targets interface {
	// resources of a kind, in all its versions.
	resources(kind schema.GroupKind) ([]schema.GroupResource, error)
	// get reads an object's scale.
	get(ctx context.Context, resource schema.GroupResource, namespace, name string) (*autoscalingv1.Scale, error)
	// update writes an object's scale.
	update(ctx context.Context, resource schema.GroupResource, s *autoscalingv1.Scale) error
}

// scales reads and writes scales through what discovery says about their kinds,
// which is forgotten from time to time.
type scales struct {
	*restmapper.DeferredDiscoveryRESTMapper

	discovery discovery.DiscoveryInterface
	client    rest.Interface
	getter    atomic.Pointer[scale.ScalesGetter]
}

func newScales(config *rest.Config, d discovery.DiscoveryInterface) (*scales, error) {
	converter := scale.NewScaleConverter()
	config = rest.CopyConfig(config)
	config.GroupVersion = &schema.GroupVersion{}
	config.NegotiatedSerializer = converter.Codecs().WithoutConversion()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON // custom resources know no other
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client of scales: %w", err)
	}
	s := &scales{
		DeferredDiscoveryRESTMapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(d)),
		discovery:                   d, client: client,
	}
	s.renew()
	return s, nil
}

// forget has everything that is known about kinds learned anew: a resource may have
// come to another version, or its scale to another kind.
func (s *scales) forget() {
	s.Reset()
	s.renew()
}

func (s *scales) renew() {
	getter := scale.New(s.client, s, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(s.discovery))
	s.getter.Store(&getter)
}

func (s *scales) resources(kind schema.GroupKind) ([]schema.GroupResource, error) {
	mappings, err := s.RESTMappings(kind)
	if err != nil {
		return nil, err
	}
	return resourcesOf(mappings), nil
}

// resourcesOf has each resource once. Scales are read in the preferred version of
// their resource, so that trying the others would send the same request again.
func resourcesOf(mappings []*meta.RESTMapping) []schema.GroupResource {
	var found []schema.GroupResource
	seen := map[schema.GroupResource]bool{}
	for _, m := range mappings {
		if r := m.Resource.GroupResource(); !seen[r] {
			seen[r] = true
			found = append(found, r)
		}
	}
	return found
}

func (s *scales) get(ctx context.Context, resource schema.GroupResource, namespace, name string) (*autoscalingv1.Scale, error) {
	return (*s.getter.Load()).Scales(namespace).Get(ctx, resource, name, metav1.GetOptions{})
}

func (s *scales) update(ctx context.Context, resource schema.GroupResource, sc *autoscalingv1.Scale) error {
	_, err := (*s.getter.Load()).Scales(sc.Namespace).Update(ctx, resource, sc, metav1.UpdateOptions{})
	return err
}

// find is the scale of the first resource that has one, or the first error.
func find(ctx context.Context, from targets, resources []schema.GroupResource, namespace, name string) (*autoscalingv1.Scale, schema.GroupResource, error) {
	first := errors.New("unrecognized resource")
	for i, r := range resources {
		s, err := from.get(ctx, r, namespace, name)
		if err == nil {
			return s, r, nil
		}
		if i == 0 {
			first = err
		}
	}
	return nil, schema.GroupResource{}, first
}
