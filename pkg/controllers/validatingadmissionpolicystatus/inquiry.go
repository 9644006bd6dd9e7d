// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// readTimeout bounds the wait for one schema document: it may come from a server
// other than the API server.
const readTimeout = 10 * time.Second

// inquiry is what one check asks about types: it is a RESTMapper and a schema
// resolver. It remembers what could not be answered, which is not the same as a
// type that does not exist.
type inquiry struct {
	meta.RESTMapper // only KindsFor and Reset are asked for

	ctx       context.Context
	kinds     *kinds
	documents *documents
	openapi   openapi.ClientWithContext

	mapper meta.RESTMapper
	paths  map[string]openapi.GroupVersionWithContext
	// failed is why nothing can be said about any type.
	failed error
	// unread is why nothing can be said about some types.
	unread error
}

// KindsFor is part of meta.RESTMapper.
func (q *inquiry) KindsFor(resource schema.GroupVersionResource) ([]schema.GroupVersionKind, error) {
	if q.mapper == nil && q.failed == nil {
		q.mapper, q.failed = q.kinds.current(q.ctx)
	}
	if q.failed != nil {
		return nil, q.failed
	}
	return q.mapper.KindsFor(resource)
}

// Reset is part of meta.ResettableRESTMapper: it is called when a resource is not
// known.
func (q *inquiry) Reset() {
	if q.failed == nil {
		q.mapper, q.failed = q.kinds.read(q.ctx)
	}
}

// ResolveSchema is part of resolver.SchemaResolver. Why a schema is missing is kept
// here; the caller goes on without it.
func (q *inquiry) ResolveSchema(kind schema.GroupVersionKind) (*spec.Schema, error) {
	if q.failed != nil {
		return nil, resolver.ErrSchemaNotFound
	}
	if q.paths == nil {
		if q.paths, q.failed = q.openapi.PathsWithContext(q.ctx); q.failed != nil {
			return nil, resolver.ErrSchemaNotFound
		}
	}
	gv, found := q.paths[path(kind.GroupVersion())]
	if !found {
		return nil, resolver.ErrSchemaNotFound
	}
	d, err := q.document(gv)
	if err == nil {
		var s *spec.Schema
		if s, err = d.schema(kind); err == nil {
			return s, nil
		}
	}
	switch {
	case controller.IsStopping(q.ctx, err):
		q.failed = err
	case !errors.Is(err, resolver.ErrSchemaNotFound):
		q.unread = errors.Join(q.unread, fmt.Errorf("schema of %s: %w", kind, err))
	}
	return nil, resolver.ErrSchemaNotFound
}

// document reads what is not at hand.
func (q *inquiry) document(gv openapi.GroupVersionWithContext) (*document, error) {
	if d := q.documents.get(gv.ServerRelativeURL()); d != nil {
		return d, nil
	}
	ctx, cancel := context.WithTimeout(q.ctx, readTimeout)
	defer cancel()
	content, err := gv.SchemaWithContext(ctx, runtime.ContentTypeJSON)
	if err != nil {
		return nil, err
	}
	d, err := parse(content)
	if err != nil {
		return nil, err
	}
	q.documents.put(gv.ServerRelativeURL(), d)
	return d, nil
}

// path is where a group version stands in the list of schema documents.
func path(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.Group + "/" + gv.Version
}
