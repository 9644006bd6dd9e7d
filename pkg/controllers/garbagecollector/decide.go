// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// standing is what an owner reference is worth.
type standing int

const (
	solid    standing = iota // the owner exists and stays
	waiting                  // it waits for its dependents to go first
	dangling                 // there is no such owner
)

// verdict is what happens to an object.
type verdict struct {
	// remove are the owners whose references are taken out; the object stays.
	remove []types.UID
	// propagation is how the object is deleted; empty: it is not.
	propagation metav1.DeletionPropagation
	// unblock lets its owners go before it does.
	unblock bool
}

// standingOf an owner that exists.
func standingOf(owner metav1.Object) standing {
	if deletionOf(owner).foreground {
		return waiting
	}
	return solid
}

// decide judges an object by its references, whose standings are in the same
// order. A cycle is one of waiting objects among its dependents.
func decide(o metav1.Object, standings []standing, hasDependents bool, cycle func() bool) verdict {
	if len(standings) == 0 {
		return verdict{}
	}
	if slices.Contains(standings, solid) {
		var v verdict
		for i, s := range standings {
			if s != solid {
				v.remove = append(v.remove, o.GetOwnerReferences()[i].UID)
			}
		}
		return v
	}
	if slices.Contains(standings, waiting) && hasDependents {
		// Its dependents go before it, as they would have to before the
		// owner. In a cycle somebody has to begin.
		return verdict{propagation: metav1.DeletePropagationForeground, unblock: cycle()}
	}
	return verdict{propagation: propagationOf(o)}
}

// propagationOf is how an object wants to be deleted: a finalizer that a user has
// put on it is a wish.
func propagationOf(o metav1.Object) metav1.DeletionPropagation {
	switch f := o.GetFinalizers(); {
	case slices.Contains(f, metav1.FinalizerOrphanDependents):
		return metav1.DeletePropagationOrphan
	case slices.Contains(f, metav1.FinalizerDeleteDependents):
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}

// release judges an object that waits for its dependents: those that must be
// checked, or that it may go now.
func release(dependents []dependent) (check []types.UID, free bool) {
	free = true
	for _, d := range dependents {
		if !d.blocks {
			continue
		}
		free = false
		// One that is being deleted goes without further help.
		if !d.beingDeleted && !d.deletingDependents {
			check = append(check, d.uid)
		}
	}
	return check, free
}
