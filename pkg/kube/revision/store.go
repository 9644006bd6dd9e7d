// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

// Store reads and writes the revisions of one kind of owner. Its zero value is of
// no use; it is copied freely.
type Store struct {
	Client kubernetes.Interface
	Cache  *informer.Cache[*appsv1.ControllerRevision]
	// Kind of the owners.
	Kind schema.GroupVersionKind
}

// ControlledBy are the owner's revisions, in no order.
func (s Store) ControlledBy(owner metav1.Object) []*appsv1.ControllerRevision {
	return s.Cache.ControlledBy(owner.GetNamespace(), s.Kind.Kind, owner.GetName(), owner.GetUID())
}

// Orphans are the revisions of the owner's namespace that match the selector and
// have no controller, in no order.
func (s Store) Orphans(owner metav1.Object, selector labels.Selector) []*appsv1.ControllerRevision {
	var orphans []*appsv1.ControllerRevision
	for _, r := range s.Cache.Orphans(owner.GetNamespace()) {
		if selector.Matches(labels.Set(r.Labels)) {
			orphans = append(orphans, r)
		}
	}
	return orphans
}

// Claimer adopts and releases revisions for an owner in one sync. It is given the
// candidates: those that are ControlledBy the owner, Orphans, or both. The
// function fresh reads the owner from the API server.
func (s Store) Claimer(owner metav1.Object, selector labels.Selector, fresh func(context.Context) (metav1.Object, error)) *ownerref.Claimer[*appsv1.ControllerRevision] {
	return ownerref.NewClaimer(ownerref.Options[*appsv1.ControllerRevision]{
		Owner: owner, Kind: s.Kind, ChildKind: "ControllerRevision", Selector: selector, Fresh: fresh,
		Patch: func(ctx context.Context, r *appsv1.ControllerRevision, patch []byte) error {
			_, err := s.Client.AppsV1().ControllerRevisions(r.Namespace).Patch(ctx, r.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			return err
		},
	})
}

// CollisionError says that another revision has the name but not the data.
type CollisionError struct {
	// Name of both.
	Name string

	err error
}

// Error is part of error.
func (e *CollisionError) Error() string {
	return fmt.Sprintf("revision %s has other data: %v", e.Name, e.err)
}

// Unwrap is the server's error, AlreadyExists.
func (e *CollisionError) Unwrap() error { return e.err }

// Create creates a revision. One that exists with the name and the data is as
// good, and is what it returns then, whoever owns it; one with other data is a
// *CollisionError, upon which the caller chooses another name, with a higher
// collision count.
func (s Store) Create(ctx context.Context, r *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	client := s.Client.AppsV1().ControllerRevisions(r.Namespace)
	created, err := client.Create(ctx, r, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		if err != nil {
			return nil, err
		}
		return created, nil
	}
	existing, getErr := client.Get(ctx, r.Name, metav1.GetOptions{})
	switch {
	case getErr != nil:
		return nil, getErr
	case Equal(existing, r.Data.Raw):
		return existing, nil
	}
	return nil, &CollisionError{Name: r.Name, err: err}
}

// Renumber gives a cached revision another number, unless it has it, and returns
// it as it is then. When somebody else was quicker it tries again.
func (s Store) Renumber(ctx context.Context, r *appsv1.ControllerRevision, number int64) (*appsv1.ControllerRevision, error) {
	if r.Revision == number {
		return r, nil
	}
	return s.Update(ctx, r, func(r *appsv1.ControllerRevision) { r.Revision = number })
}

// Update changes a cached revision and returns it as the server has it then. The
// change is made on a copy, and once more on the live revision for each time that
// somebody else was quicker, so it must give the same result again.
func (s Store) Update(ctx context.Context, r *appsv1.ControllerRevision, change func(*appsv1.ControllerRevision)) (*appsv1.ControllerRevision, error) {
	client := s.Client.AppsV1().ControllerRevisions(r.Namespace)
	next := r.DeepCopy()
	var updated *appsv1.ControllerRevision
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		change(next)
		var err error
		if updated, err = client.Update(ctx, next, metav1.UpdateOptions{}); err == nil {
			return nil
		}
		if live, getErr := client.Get(ctx, r.Name, metav1.GetOptions{}); getErr == nil {
			next = live
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// Delete deletes a revision. One that is gone already is none to delete.
func (s Store) Delete(ctx context.Context, r *appsv1.ControllerRevision) error {
	err := s.Client.AppsV1().ControllerRevisions(r.Namespace).Delete(ctx, r.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
