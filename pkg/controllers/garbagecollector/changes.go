// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// change is one step of the graph. Changes are pointers, so that equal ones are
// queued as often as they happen.
type change interface {
	apply(*graph, *effects)
}

// seen is an object that a monitor was told of, new or changed.
type seen struct {
	identity
	owners       []metav1.OwnerReference
	beingDeleted bool
	// before and now tell what begins with this change. An object that is new
	// to the monitor begins everything.
	before, now deletion
}

// gone is an object that a monitor saw deleted.
type gone struct{ identity }

// absence is the finding of a worker that there is no such object.
type absence struct{ identity }

// unserved means that a kind is not monitored any more: its objects, if there
// are any, cannot be seen.
type unserved struct{ apiVersion, kind string }

// marker is reached when all earlier changes are in the graph.
type marker struct{ reached chan struct{} }

// deletion is how a deleted object wants its dependents to be treated before it
// goes.
type deletion struct{ orphans, foreground bool }

func deletionOf(o metav1.Object) deletion {
	if o == nil || o.GetDeletionTimestamp() == nil {
		return deletion{}
	}
	return deletion{
		orphans:    slices.Contains(o.GetFinalizers(), metav1.FinalizerOrphanDependents),
		foreground: slices.Contains(o.GetFinalizers(), metav1.FinalizerDeleteDependents),
	}
}

// observation is the change from old, or nil, to o.
func observation(apiVersion, kind string, old, o metav1.Object) *seen {
	return &seen{
		identity:     objectIdentity(apiVersion, kind, o),
		owners:       o.GetOwnerReferences(),
		beingDeleted: o.GetDeletionTimestamp() != nil,
		before:       deletionOf(old),
		now:          deletionOf(o),
	}
}

func objectIdentity(apiVersion, kind string, o metav1.Object) identity {
	return identity{apiVersion: apiVersion, kind: kind, namespace: o.GetNamespace(), name: o.GetName(), uid: o.GetUID()}
}

// irrelevant says whether the graph looks the same after an update as before.
// Most updates are of a status or a heartbeat.
func irrelevant(old, o metav1.Object) bool {
	return old.GetUID() == o.GetUID() &&
		(old.GetDeletionTimestamp() == nil) == (o.GetDeletionTimestamp() == nil) &&
		deletionOf(old) == deletionOf(o) &&
		slices.EqualFunc(old.GetOwnerReferences(), o.GetOwnerReferences(), sameReference)
}

func sameReference(a, b metav1.OwnerReference) bool {
	return identityOf(a, "") == identityOf(b, "") && blocks(a) == blocks(b)
}

// handler queues what happens to the objects of a kind. The kind comes from
// discovery: cached objects do not carry it.
func (c *collector) handler(kind schema.GroupVersionKind) controller.Handler[metav1.Object] {
	apiVersion, k := kind.ToAPIVersionAndKind()
	return controller.Handler[metav1.Object]{
		Add: func(o metav1.Object) { c.changes.Add(observation(apiVersion, k, nil, o)) },
		Update: func(old, o metav1.Object) {
			if old.GetUID() != o.GetUID() {
				// The cache missed the deletion in between.
				c.changes.Add(&gone{objectIdentity(apiVersion, k, old)})
				old = nil
			} else if irrelevant(old, o) {
				return
			}
			c.changes.Add(observation(apiVersion, k, old, o))
		},
		Delete: func(o metav1.Object) { c.changes.Add(&gone{objectIdentity(apiVersion, k, o)}) },
	}
}
