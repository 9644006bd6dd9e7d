// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

var (
	// errAbsent means that there is no object with all the coordinates.
	errAbsent = errors.New("object does not exist")
	// errUnowned means that a cluster-scoped object names an owner of a kind
	// that lives in namespaces. It could be in any of them.
	errUnowned = errors.New("an object of a namespaced kind without a namespace")
)

// mapping is how the API serves the kind of an object.
func (c *collector) mapping(i identity) (*meta.RESTMapping, error) {
	gv, err := schema.ParseGroupVersion(i.apiVersion)
	if err != nil {
		return nil, err
	}
	kind := gv.WithKind(i.kind)
	return (*c.mapper.Load()).RESTMapping(kind.GroupKind(), kind.Version)
}

// resource is where the API serves an object.
func (c *collector) resource(i identity) (metadata.ResourceInterface, error) {
	m, err := c.mapping(i)
	switch {
	case err != nil:
		return nil, err
	case m.Scope.Name() == meta.RESTScopeNameRoot:
		return c.metadata.Resource(m.Resource), nil
	case i.namespace == "":
		return nil, errUnowned
	}
	return c.metadata.Resource(m.Resource).Namespace(i.namespace), nil
}

// get reads the metadata of an object from the server.
func (c *collector) get(ctx context.Context, i identity) (*metav1.PartialObjectMetadata, error) {
	r, err := c.resource(i)
	if err != nil {
		return nil, err
	}
	o, err := r.Get(ctx, i.name, metav1.GetOptions{})
	if isAbsent(err) || err == nil && o.UID != i.uid {
		return nil, errAbsent
	}
	return o, err
}

// isAbsent says whether the server does not have an object.
func isAbsent(err error) bool { return apierrors.IsNotFound(err) && !isUnserved(err) }

// isUnserved says whether the server does not have the kind at all, or not in
// that version. This tells nothing about the object. The server's own answer to
// an unknown path is no Status, which is how it differs from isAbsent.
func isUnserved(err error) bool {
	return meta.IsNoMatchError(err) ||
		apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// cached is an object as its monitor has seen it, or nil. The server may know
// better.
func (c *collector) cached(i identity) metav1.Object {
	stores := c.stores.Load()
	if stores == nil {
		return nil
	}
	store := (*stores)[schema.FromAPIVersionAndKind(i.apiVersion, i.kind)]
	if store == nil {
		return nil
	}
	found, exists, err := store.GetByKey(cache.NewObjectName(i.namespace, i.name).String())
	if err != nil || !exists {
		return nil
	}
	if o, err := meta.Accessor(found); err == nil && o.GetUID() == i.uid {
		return o
	}
	return nil
}

// delete deletes the version of an object that was read. A conflict is that it is
// another by now.
func (c *collector) delete(ctx context.Context, i identity, o metav1.Object, p metav1.DeletionPropagation) error {
	c.logger.V(2).Info("Deleting item", "object", i, "propagation", p)
	version := o.GetResourceVersion()
	return c.deleteIf(ctx, i, metav1.Preconditions{UID: &i.uid, ResourceVersion: &version}, p)
}

// deleteAnyway deletes an object as it was read. When it has changed since, but
// its owners have not, it is deleted all the same: its status may change all the
// time.
func (c *collector) deleteAnyway(ctx context.Context, i identity, o *metav1.PartialObjectMetadata, p metav1.DeletionPropagation) error {
	err := c.delete(ctx, i, o, p)
	if !apierrors.IsConflict(err) {
		return err
	}
	r, mapErr := c.resource(i)
	if mapErr != nil {
		return mapErr
	}
	now, getErr := r.Get(ctx, i.name, metav1.GetOptions{})
	switch {
	case isAbsent(getErr):
		return errAbsent
	case getErr != nil:
		return getErr
	case onlyContentChanged(o, now):
		return c.deleteIf(ctx, i, metav1.Preconditions{UID: &i.uid}, p)
	}
	return err
}

func (c *collector) deleteIf(ctx context.Context, i identity, is metav1.Preconditions, p metav1.DeletionPropagation) error {
	r, err := c.resource(i)
	if err != nil {
		return err
	}
	err = r.Delete(ctx, i.name, metav1.DeleteOptions{Preconditions: &is, PropagationPolicy: &p})
	if isAbsent(err) {
		return errAbsent
	}
	return err
}

func onlyContentChanged(old, now *metav1.PartialObjectMetadata) bool {
	return old.UID == now.UID && old.ResourceVersion != now.ResourceVersion &&
		equality.Semantic.DeepEqual(old.OwnerReferences, now.OwnerReferences)
}
