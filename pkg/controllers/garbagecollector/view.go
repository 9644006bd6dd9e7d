// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// view is what a worker sees of a node. It does not change under its hands.
type view struct {
	identity
	virtual, beingDeleted, deletingDependents, hasDependents bool
}

func (n *node) view() view {
	return view{
		identity: n.identity, virtual: n.virtual, beingDeleted: n.beingDeleted,
		deletingDependents: n.deletingDependents, hasDependents: len(n.dependents) > 0,
	}
}

// dependent is an object that refers to another.
type dependent struct {
	view
	// blocks its owner from going first, when that is deleted in the foreground.
	blocks bool
}

// find is what the graph knows of an object, and whether it knows it.
func (g *graph) find(uid types.UID) (view, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	n := g.nodes[uid]
	if n == nil {
		return view{}, false
	}
	return n.view(), true
}

// owned says whether one of these owners, as far as the graph knows, exists and
// stays. The graph may be behind.
func (g *graph) owned(owners []metav1.OwnerReference) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(owners) == 0 || slices.ContainsFunc(owners, func(ref metav1.OwnerReference) bool {
		n := g.nodes[ref.UID]
		return n != nil && !n.virtual && !n.deletingDependents
	})
}

// dependentsOf an object, in no order.
func (g *graph) dependentsOf(uid types.UID) []dependent {
	g.mu.RLock()
	defer g.mu.RUnlock()
	n := g.nodes[uid]
	if n == nil {
		return nil
	}
	list := make([]dependent, 0, len(n.dependents))
	for _, d := range n.dependents {
		blocking := func(ref metav1.OwnerReference) bool { return ref.UID == uid && blocks(ref) }
		list = append(list, dependent{view: d.view(), blocks: slices.ContainsFunc(d.owners, blocking)})
	}
	return list
}
