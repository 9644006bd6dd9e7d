// SPDX-License-Identifier: Apache-2.0

// Package ownerref decides which objects belong to an owner, and makes it so:
// matching orphans are adopted, owned objects that no longer match are released,
// and what another controller owns is left alone.
package ownerref

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// Options say who claims, what matches, and how to read and write.
type Options[T metav1.Object] struct {
	// Owner is the claimer, as the cache has it.
	Owner metav1.Object
	// Kind is the owner's, for the references it puts on its children.
	Kind schema.GroupVersionKind
	// ChildKind is the children's kind, for errors: "Pod", "ReplicaSet".
	ChildKind string
	// Selector matches the labels of the owner's children.
	Selector labels.Selector
	// Finalizer is put on children that are adopted and taken off those that are
	// released; "" is none.
	Finalizer string
	// Filter is what else a child must satisfy to match; nil is satisfied by
	// all.
	Filter func(T) bool
	// Fresh reads the owner from the API server, past any cache. It is called
	// once, before the first adoption.
	Fresh func(ctx context.Context) (metav1.Object, error)
	// Patch sends a strategic merge patch of a child.
	Patch func(ctx context.Context, child T, patch []byte) error
}

// Claimer claims children for one owner within one sync. It is for one
// goroutine.
type Claimer[T metav1.Object] struct {
	opts Options[T]

	rechecked bool
	refusal   error
}

// NewClaimer makes a claimer that is good for one sync: what it learns about
// the live owner it remembers.
func NewClaimer[T metav1.Object](o Options[T]) *Claimer[T] { return &Claimer[T]{opts: o} }

// Claim returns the candidates that belong to the owner, after adopting and
// releasing what had to be. An error about one candidate does not keep the
// others from being looked at; the result is then incomplete, and comes with
// all the errors.
func (c *Claimer[T]) Claim(ctx context.Context, candidates []T) ([]T, error) {
	var (
		claimed []T
		errs    []error
	)
	for _, child := range candidates {
		mine, err := c.claim(ctx, child)
		if err != nil {
			errs = append(errs, err)
		} else if mine {
			claimed = append(claimed, child)
		}
	}
	return claimed, utilerrors.NewAggregate(errs)
}

func (c *Claimer[T]) claim(ctx context.Context, child T) (bool, error) {
	switch decide(c.opts.Owner, child, c.matches(child)) {
	case keep:
		return true, nil
	case release:
		return false, c.release(ctx, child)
	case adopt:
		return c.adopt(ctx, child)
	default:
		return false, nil
	}
}

func (c *Claimer[T]) matches(child T) bool {
	return c.opts.Selector.Matches(labels.Set(child.GetLabels())) && (c.opts.Filter == nil || c.opts.Filter(child))
}

// verdict is what is to be done with a candidate.
type verdict int

const (
	ignore verdict = iota
	keep
	adopt
	release
)

func decide(owner, child metav1.Object, matches bool) verdict {
	deleting := owner.GetDeletionTimestamp() != nil
	if ref := metav1.GetControllerOfNoCopy(child); ref != nil {
		switch {
		case ref.UID != owner.GetUID():
			return ignore
		case matches:
			return keep
		case deleting:
			return ignore
		}
		return release
	}
	switch {
	case deleting, !matches, child.GetDeletionTimestamp() != nil:
		return ignore
	case owner.GetNamespace() != "" && owner.GetNamespace() != child.GetNamespace():
		return ignore
	}
	return adopt
}

// adopt makes the owner the child's controller, unless the live owner is no
// longer one that may adopt.
func (c *Claimer[T]) adopt(ctx context.Context, child T) (bool, error) {
	if err := c.mayAdopt(ctx); err != nil {
		return false, fmt.Errorf("can't adopt %s %s/%s (%s): %w", c.opts.ChildKind, child.GetNamespace(), child.GetName(), child.GetUID(), err)
	}
	patch, err := json.Marshal(adoptPatch{adoptMeta{
		UID:             child.GetUID(),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(c.opts.Owner, c.opts.Kind)},
		Finalizers:      c.finalizers(),
	}})
	if err != nil {
		return false, err
	}
	if err := c.opts.Patch(ctx, child, patch); err != nil {
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// mayAdopt asks the API server once: a cache may not know yet that the owner is
// being deleted, or was replaced, and the garbage collector would find its
// children's reference dangling.
func (c *Claimer[T]) mayAdopt(ctx context.Context) error {
	if !c.rechecked {
		c.rechecked = true
		c.refusal = c.recheck(ctx)
	}
	return c.refusal
}

func (c *Claimer[T]) recheck(ctx context.Context) error {
	fresh, err := c.opts.Fresh(ctx)
	if err == nil && fresh.GetUID() != c.opts.Owner.GetUID() {
		err = fmt.Errorf("original %s %s/%s is gone: got uid %s, wanted %s",
			c.opts.Kind.Kind, c.opts.Owner.GetNamespace(), c.opts.Owner.GetName(), fresh.GetUID(), c.opts.Owner.GetUID())
	}
	if err != nil {
		return fmt.Errorf("can't recheck DeletionTimestamp: %w", err)
	}
	if at := fresh.GetDeletionTimestamp(); at != nil {
		return fmt.Errorf("%s/%s has just been deleted at %v", fresh.GetNamespace(), fresh.GetName(), at)
	}
	return nil
}

// release removes the owner's reference. A child that is gone needs none
// removed, and one that the server finds invalid has lost it meanwhile, or was
// created anew under the same name.
func (c *Claimer[T]) release(ctx context.Context, child T) error {
	patch, err := json.Marshal(releasePatch{releaseMeta{
		UID:             child.GetUID(),
		OwnerReferences: []deletedRef{{Patch: "delete", UID: c.opts.Owner.GetUID()}},
		Finalizers:      c.finalizers(),
	}})
	if err != nil {
		return err
	}
	if err := c.opts.Patch(ctx, child, patch); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsInvalid(err) {
		return err
	}
	return nil
}

func (c *Claimer[T]) finalizers() []string {
	if c.opts.Finalizer == "" {
		return nil
	}
	return []string{c.opts.Finalizer}
}

// The patches carry the child's UID: the server refuses them for another object
// of the same name.
type (
	adoptPatch struct {
		Metadata adoptMeta `json:"metadata"`
	}
	adoptMeta struct {
		UID             types.UID               `json:"uid"`
		OwnerReferences []metav1.OwnerReference `json:"ownerReferences"`
		Finalizers      []string                `json:"finalizers,omitempty"`
	}
	releasePatch struct {
		Metadata releaseMeta `json:"metadata"`
	}
	releaseMeta struct {
		UID             types.UID    `json:"uid"`
		OwnerReferences []deletedRef `json:"ownerReferences"`
		Finalizers      []string     `json:"$deleteFromPrimitiveList/finalizers,omitempty"`
	}
	deletedRef struct {
		Patch string    `json:"$patch"`
		UID   types.UID `json:"uid"`
	}
)
