// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
)

// absentOwners is how many owners that do not exist are remembered, so that the
// second dependent of one costs no request. Upstream remembers 500, and asks for
// more when the Deployments of a large namespace go.
const absentOwners = 4096

// graph knows who owns whom. It is memory only: one worker applies changes, any
// number may read.
type graph struct {
	mu    sync.RWMutex
	nodes map[types.UID]*node
	// absent has identities that are known not to exist. UIDs do not come back,
	// so what is in it stays true.
	absent *lru.Cache
}

// node is an object of which the graph knows.
type node struct {
	identity
	owners     []metav1.OwnerReference
	dependents map[types.UID]*node
	// virtual nodes were not seen by a monitor: others name them as owner.
	// Their coordinates are what one of those says, in its own namespace.
	virtual bool
	// beingDeleted objects have a deletion timestamp.
	beingDeleted bool
	// deletingDependents objects wait for the dependents that block them.
	deletingDependents bool
}

// effects is what has to be done after a change.
type effects struct {
	check     []types.UID // look whether it must be deleted
	recheck   []types.UID // the same, as a retry
	orphan    []types.UID // let go of its dependents
	misplaced []misplaced // tell users
}

// misplaced is a reference to an owner that exists in another namespace.
type misplaced struct {
	child identity
	owner metav1.OwnerReference
}

func newGraph() *graph {
	return &graph{nodes: map[types.UID]*node{}, absent: lru.New(absentOwners)}
}

func (g *graph) apply(c change) *effects {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := &effects{}
	c.apply(g, e)
	return e
}

func (m *marker) apply(*graph, *effects) { close(m.reached) }

func (s *seen) apply(g *graph, e *effects) {
	n := g.nodes[s.uid]
	if n == nil {
		n = &node{identity: s.identity, deletingDependents: s.now.foreground}
		g.nodes[n.uid] = n
	} else {
		g.identify(n, s.identity, e)
		g.unblocked(n.owners, s.owners, e)
	}
	n.beingDeleted = n.beingDeleted || s.beingDeleted
	g.relink(n, s.owners, e)
	switch {
	case s.now.orphans && !s.before.orphans:
		e.orphan = append(e.orphan, n.uid)
	case s.now.foreground && !s.before.foreground:
		n.deletingDependents = true
		e.checkDependents(n)
		e.check = append(e.check, n.uid)
	}
}

func (c *gone) apply(g *graph, e *effects) {
	if n := g.nodes[c.uid]; n != nil {
		g.identify(n, c.identity, e)
		if len(n.dependents) > 0 {
			g.absent.Add(n.identity, nil)
		}
		g.remove(n, e)
	}
}

// apply forgets the objects of the kind, but for those that others need.
func (u *unserved) apply(g *graph, e *effects) {
	for uid, n := range g.nodes {
		if n.virtual || n.apiVersion != u.apiVersion || n.kind != u.kind {
			continue
		}
		e.checkDeletingOwners(g, n)
		g.relink(n, nil, e)
		if len(n.dependents) == 0 {
			delete(g.nodes, uid)
			continue
		}
		// What became of it is for the workers to find out.
		n.virtual, n.beingDeleted, n.deletingDependents = true, false, false
		e.check = append(e.check, uid)
	}
}

// identify gives a node the coordinates of the object itself. Dependents that
// meant another object with that UID have no such owner, and are checked.
func (g *graph) identify(n *node, real identity, e *effects) {
	if n.virtual && n.identity != real {
		for _, d := range n.dependents {
			for _, ref := range d.owners {
				switch {
				case ref.UID != real.uid:
				case !real.reachable(d.namespace):
					e.check = append(e.check, d.uid)
					e.misplaced = append(e.misplaced, misplaced{d.identity, ref})
				case !real.named(ref):
					e.check = append(e.check, d.uid)
				}
			}
		}
	}
	n.identity, n.virtual = real, false
}

// unblocked checks the owners that a dependent does not block any more.
func (g *graph) unblocked(old, now []metav1.OwnerReference, e *effects) {
	for _, ref := range old {
		if !blocks(ref) {
			continue
		}
		still := slices.ContainsFunc(now, func(r metav1.OwnerReference) bool { return r.UID == ref.UID && blocks(r) })
		if !still && g.nodes[ref.UID] != nil {
			e.check = append(e.check, ref.UID)
		}
	}
}

// relink gives a node new owners: links to those that are new or referred to in
// a new way, and unlinks the former ones.
func (g *graph) relink(n *node, owners []metav1.OwnerReference, e *effects) {
	old := n.owners
	n.owners = owners
	var fresh []metav1.OwnerReference
	for _, ref := range owners {
		same := func(r metav1.OwnerReference) bool { return identityOf(r, "") == identityOf(ref, "") }
		if !slices.ContainsFunc(old, same) {
			fresh = append(fresh, ref)
		}
	}
	g.link(n, fresh, e)
	for _, ref := range old {
		same := func(r metav1.OwnerReference) bool { return r.UID == ref.UID }
		if !slices.ContainsFunc(owners, same) {
			g.unlink(n, ref.UID)
		}
	}
}

// link files a node under owners. One that nobody has seen becomes a virtual
// node and is checked. When a reference does not fit the owner that is there,
// the node is checked; one such reference is enough.
func (g *graph) link(n *node, refs []metav1.OwnerReference, e *effects) {
	suspect := false
	for _, ref := range refs {
		owner := g.nodes[ref.UID]
		if owner == nil {
			owner = &node{identity: identityOf(ref, n.namespace), virtual: true}
			g.nodes[ref.UID] = owner
			e.check = append(e.check, ref.UID)
		}
		if owner.dependents == nil {
			owner.dependents = map[types.UID]*node{}
		}
		owner.dependents[n.uid] = n
		if suspect {
			continue
		}
		misfit := !owner.reachable(n.namespace)
		if misfit && !owner.virtual {
			e.misplaced = append(e.misplaced, misplaced{n.identity, ref})
		}
		// A virtual owner without a namespace was named by a cluster-scoped
		// object: it may be another one than this node means.
		unclear := owner.virtual && owner.namespace == "" && n.namespace != ""
		if misfit || unclear || !owner.named(ref) {
			suspect = true
			e.check = append(e.check, n.uid)
		}
	}
}

// unlink ends that a node is a dependent. A virtual owner exists for its
// dependents only and goes with the last of them.
func (g *graph) unlink(n *node, owner types.UID) {
	o := g.nodes[owner]
	if o == nil {
		return
	}
	delete(o.dependents, n.uid)
	if o.virtual && len(o.dependents) == 0 {
		delete(g.nodes, owner)
	}
}

// remove takes out a node whose object does not exist.
func (g *graph) remove(n *node, e *effects) {
	delete(g.nodes, n.uid)
	for _, ref := range n.owners {
		g.unlink(n, ref.UID)
	}
	e.checkDependents(n)
	e.checkDeletingOwners(g, n)
}

func (e *effects) checkDependents(n *node) {
	for uid := range n.dependents {
		e.check = append(e.check, uid)
	}
}

// checkDeletingOwners looks at the owners that may have waited for a node.
func (e *effects) checkDeletingOwners(g *graph, n *node) {
	for _, ref := range n.owners {
		if o := g.nodes[ref.UID]; o != nil && o.deletingDependents {
			e.check = append(e.check, o.uid)
		}
	}
}
