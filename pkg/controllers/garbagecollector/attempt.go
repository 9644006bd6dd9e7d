// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// check looks whether an object must be deleted, and does it.
func (c *collector) check(ctx context.Context, uid types.UID) error {
	n, found := c.graph.find(uid)
	if !found || n.beingDeleted && !n.deletingDependents {
		return nil
	}
	err := c.collect(ctx, n)
	switch {
	case errors.Is(err, errUnowned):
		c.logger.V(2).Info("Ignoring a cluster-scoped object's owner in a namespace", "object", n.identity)
		return nil
	case isUnserved(err):
		// Users may name owners that the API does not know, or not yet.
		c.logger.V(5).Info("Cannot tell whether an owner exists, will retry", "object", n.identity, "err", err)
		return c.later(uid)
	case errors.Is(err, errAbsent):
		c.changes.Add(&absence{n.identity})
		return nil
	case err != nil:
		return fmt.Errorf("object %s: %w", n.identity, err)
	}
	if n, found := c.graph.find(uid); found && n.virtual {
		// It exists, but the cache has not brought it yet.
		return c.later(uid)
	}
	return nil
}

// later makes a key come back as a failed one does, although nothing failed.
func (c *collector) later(uid types.UID) error {
	return controller.RequeueAfter(c.pace.When(uid))
}

// collect decides by what the cache has, when that is to delete the object: the
// server refuses to delete another version than the one that was judged. Anything
// else is decided by what the server has.
func (c *collector) collect(ctx context.Context, n view) error {
	if n.deletingDependents {
		return c.release(ctx, n)
	}
	o := c.cached(n.identity)
	if o != nil && o.GetDeletionTimestamp() != nil {
		return nil // the graph is about to hear of it
	}
	if o != nil && !c.graph.owned(o.GetOwnerReferences()) {
		if v, err := c.judge(ctx, n, o); err == nil && v.propagation != "" && !v.unblock {
			if err := c.delete(ctx, n.identity, o, v.propagation); !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	return c.collectLive(ctx, n)
}

// collectLive decides by what the server has. An object that is being deleted by
// now is left alone: its dependents may be on their way because of that, and must
// not be taken for a cycle.
func (c *collector) collectLive(ctx context.Context, n view) error {
	o, err := c.get(ctx, n.identity)
	if err != nil {
		return err
	}
	if o.DeletionTimestamp != nil {
		return nil
	}
	v, err := c.judge(ctx, n, o)
	if err != nil {
		return err
	}
	if len(v.remove) > 0 {
		c.logger.V(2).Info("Removing references to owners that are gone", "object", n.identity, "owners", v.remove)
		return c.removeOwners(ctx, n.identity, v.remove, o)
	}
	if v.unblock {
		c.logger.V(2).Info("Unblocking the owners of an object, its dependents seem to include one of them", "object", n.identity)
		if o, err = c.unblock(ctx, n.identity, o); err != nil {
			return err
		}
	}
	if v.propagation != "" {
		return c.deleteAnyway(ctx, n.identity, o, v.propagation)
	}
	return nil
}

// judge decides what happens to an object, which is as it was read somewhere.
func (c *collector) judge(ctx context.Context, n view, o metav1.Object) (verdict, error) {
	owners := o.GetOwnerReferences()
	standings := make([]standing, 0, len(owners))
	for _, ref := range owners {
		s, err := c.worth(ctx, ref, n.namespace)
		if err != nil {
			return verdict{}, err
		}
		standings = append(standings, s)
	}
	return decide(o, standings, n.hasDependents, func() bool { return c.waits(n.uid) }), nil
}

// worth finds out what a reference, of an object in that namespace, is worth.
func (c *collector) worth(ctx context.Context, ref metav1.OwnerReference, namespace string) (standing, error) {
	if c.graph.knownAbsent(ref, namespace) {
		return dangling, nil
	}
	i := identityOf(ref, namespace)
	owner, err := c.get(ctx, i)
	if errors.Is(err, errAbsent) {
		mapping, err := c.mapping(i)
		if err != nil {
			return solid, err
		}
		if mapping.Scope.Name() == meta.RESTScopeNameRoot {
			i.namespace = ""
		}
		c.graph.absent.Add(i, nil)
		return dangling, nil
	}
	if err != nil {
		return solid, err
	}
	return standingOf(owner), nil
}

// waits says whether a dependent of the object waits for its own dependents.
func (c *collector) waits(uid types.UID) bool {
	for _, d := range c.graph.dependentsOf(uid) {
		if d.deletingDependents {
			return true
		}
	}
	return false
}

// release lets an object go that has waited for its dependents.
func (c *collector) release(ctx context.Context, n view) error {
	dependents, free := release(c.graph.dependentsOf(n.uid))
	if free {
		return c.removeFinalizer(ctx, n.identity, metav1.FinalizerDeleteDependents)
	}
	for _, uid := range dependents {
		c.checks.Add(uid)
	}
	return nil
}
