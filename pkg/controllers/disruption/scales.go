// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/scale"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// memory is for how long it is taken as given that a kind can be scaled.
const memory = 30 * time.Second

// scales reads the scale of objects of any kind. What it learns about kinds it
// remembers for a while, but only what lets it go on: nobody would tell that a
// kind that could not be scaled now can.
type scales struct {
	kinds    func(groupVersion string) (*metav1.APIResourceList, error)
	client   rest.Interface
	versions []schema.GroupVersion // of kind Scale
	clock    clock.PassiveClock

	mu    sync.Mutex
	known map[schema.GroupVersionKind]scalable
}

// scalable is a kind that has a scale.
type scalable struct {
	resource schema.GroupVersionResource
	learned  time.Time
}

func newScales(env controller.Env) (*scales, error) {
	converter := scale.NewScaleConverter()
	cfg := env.API.Config()
	cfg.GroupVersion = &schema.GroupVersion{}
	cfg.NegotiatedSerializer = converter.Codecs().WithoutConversion()
	cfg.ContentType, cfg.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON // custom resources know no other
	client, err := rest.RESTClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of scales: %w", err)
	}
	return &scales{
		kinds:  env.API.Discovery.ServerResourcesForGroupVersion,
		client: client, versions: converter.ScaleVersions(), clock: env.Clock,
		known: map[schema.GroupVersionKind]scalable{},
	}, nil
}

// of is a lookup. An object that is not there, or is another than the one that is
// referred to, has no size; a kind without a scale is an error.
func (s *scales) of(ctx context.Context, namespace string, ref *metav1.OwnerReference) (*size, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, err
	}
	resource, err := s.resource(gv.WithKind(ref.Kind))
	if err != nil {
		return nil, err
	}
	got, err := scale.New(s.client, preferred(resource), dynamic.LegacyAPIPathResolverFunc, nil).
		Scales(namespace).Get(ctx, resource.GroupResource(), ref.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case got.UID != ref.UID:
		return nil, nil
	}
	return &size{got.UID, got.Spec.Replicas}, nil
}

// preferred is a mapper that knows one resource.
type preferred schema.GroupVersionResource

// ResourceFor is part of scale.PreferredResourceMapper.
func (p preferred) ResourceFor(schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	return schema.GroupVersionResource(p), nil
}

// resource is that of a kind that has a scale.
func (s *scales) resource(kind schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	now := s.clock.Now()
	if r, known := s.recall(kind, now); known {
		return r, nil
	}
	list, err := s.kinds(kind.GroupVersion().String())
	if err != nil && !apierrors.IsNotFound(err) {
		return schema.GroupVersionResource{}, err
	}
	r, err := find(list, kind, s.versions)
	if err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[kind] = scalable{r, now}
	return r, nil
}

func (s *scales) recall(kind schema.GroupVersionKind, now time.Time) (schema.GroupVersionResource, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.known[kind]
	if !known || now.Sub(k.learned) > memory {
		delete(s.known, kind)
		return schema.GroupVersionResource{}, false
	}
	return k.resource, true
}

// find is the resource of a kind in the list of what its group version has. A nil
// list has nothing. The resource must have a scale of one of these versions.
func find(list *metav1.APIResourceList, kind schema.GroupVersionKind, versions []schema.GroupVersion) (schema.GroupVersionResource, error) {
	var all []metav1.APIResource
	if list != nil {
		all = list.APIResources
	}
	i := slices.IndexFunc(all, func(r metav1.APIResource) bool { return r.Kind == kind.Kind && !strings.Contains(r.Name, "/") })
	if i < 0 {
		return schema.GroupVersionResource{}, &meta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
	}
	resource := kind.GroupVersion().WithResource(all[i].Name)
	if !slices.ContainsFunc(all, func(r metav1.APIResource) bool {
		return r.Name == resource.Resource+"/scale" && r.Kind == "Scale" &&
			slices.Contains(versions, schema.GroupVersion{Group: r.Group, Version: r.Version})
	}) {
		return resource, fmt.Errorf("%s does not implement the scale subresource", resource.GroupResource())
	}
	return resource, nil
}
