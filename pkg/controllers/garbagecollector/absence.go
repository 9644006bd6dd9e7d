// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apply takes out the node that a worker did not find, unless somebody means
// another object by the same UID: then only those that meant this one have lost
// their owner, and the next meaning is looked for.
func (a *absence) apply(g *graph, e *effects) {
	n := g.nodes[a.uid]
	if n == nil {
		return
	}
	g.absent.Add(a.identity, nil)
	meanings := g.meanings(n)
	if n.virtual && len(meanings) == 0 || !n.virtual && n.identity == a.identity {
		g.remove(n, e)
		return
	}
	e.checkMeaning(n, a.identity)
	if n.virtual && n.identity == a.identity {
		n.identity = following(meanings, a.identity)
		e.recheck = append(e.recheck, n.uid)
	}
}

// meanings are the different objects that dependents mean by a node, in order
// and without those that are known to be absent.
func (g *graph) meanings(n *node) []identity {
	var list []identity
	for _, d := range n.dependents {
		for _, ref := range d.owners {
			if ref.UID == n.uid && !g.knownAbsent(ref, d.namespace) {
				list = append(list, identityOf(ref, d.namespace))
			}
		}
	}
	slices.SortFunc(list, identity.compare)
	return slices.Compact(list)
}

// following is the first of the sorted list after i, or the first of all.
func following(list []identity, i identity) identity {
	for _, next := range list {
		if next.compare(i) > 0 {
			return next
		}
	}
	return list[0]
}

// checkMeaning checks the dependents that mean this identity by the node.
func (e *effects) checkMeaning(n *node, i identity) {
	for uid, d := range n.dependents {
		means := func(ref metav1.OwnerReference) bool { return i.named(ref) && i.reachable(d.namespace) }
		if slices.ContainsFunc(d.owners, means) {
			e.check = append(e.check, uid)
		}
	}
}

// knownAbsent says whether the owner that an object of a namespace refers to is
// known not to exist, in that namespace or, being cluster-scoped, at all.
func (g *graph) knownAbsent(ref metav1.OwnerReference, namespace string) bool {
	if _, known := g.absent.Get(identityOf(ref, "")); known {
		return true
	}
	_, known := g.absent.Get(identityOf(ref, namespace))
	return known
}
