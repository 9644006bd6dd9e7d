// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const reclaimed = appsv1.DeletePersistentVolumeClaimRetentionPolicyType

var podKind = corev1.SchemeGroupVersion.WithKind("Pod")

// retention says what becomes of the claims: whether they go when a pod is scaled
// away, and when the set is deleted.
func retention(set *appsv1.StatefulSet) (whenScaled, whenDeleted bool) {
	p := set.Spec.PersistentVolumeClaimRetentionPolicy
	if p == nil {
		return false, false
	}
	return p.WhenScaled == reclaimed, p.WhenDeleted == reclaimed
}

// relation of a claim's owner reference to the set and to the member's pod.
type relation int

const (
	foreign relation = iota
	// own references name the set, or the pod, as they are now.
	own
	// stale ones name an earlier object of the same name.
	stale
)

func relate(set *appsv1.StatefulSet, m *member, ref metav1.OwnerReference) relation {
	switch ref.Kind {
	case kind.Kind:
		switch {
		case ref.APIVersion != kind.GroupVersion().String() || ref.Name != set.Name:
			return foreign
		case ref.UID != set.UID:
			return stale
		}
		return own
	case podKind.Kind:
		switch {
		case ref.APIVersion != podKind.GroupVersion().String() || ref.Name != m.name:
			return foreign
		case m.pod == nil || ref.UID != m.pod.UID:
			return stale
		}
		return own
	}
	return foreign
}

// wantedOwner is the reference that the retention policy asks for on the claims
// of a member, or nil. The claims of a pod that is scaled away go with it.
func wantedOwner(set *appsv1.StatefulSet, m *member) *metav1.OwnerReference {
	whenScaled, whenDeleted := retention(set)
	switch condemned := !inSpan(set, m.ordinal); {
	case condemned && whenScaled && m.pod != nil:
		return metav1.NewControllerRef(m.pod, podKind)
	case whenDeleted && !(condemned && whenScaled):
		return metav1.NewControllerRef(set, kind)
	}
	return nil
}

// conflicting says whether somebody else controls a claim that the set should
// delete one day. It then leaves the claim to them.
func conflicting(set *appsv1.StatefulSet, m *member, refs []metav1.OwnerReference) bool {
	if whenScaled, whenDeleted := retention(set); !whenScaled && !whenDeleted {
		return false
	}
	return slices.ContainsFunc(refs, func(r metav1.OwnerReference) bool {
		return ptr.Deref(r.Controller, false) && relate(set, m, r) != own
	})
}

// ownersOf are the references that a member's claim should have, and whether these
// are others than it has. A claim of an earlier set or pod is left alone: it is
// about to go.
func ownersOf(set *appsv1.StatefulSet, m *member, refs []metav1.OwnerReference) ([]metav1.OwnerReference, bool) {
	var others, mine []metav1.OwnerReference
	for _, r := range refs {
		switch relate(set, m, r) {
		case stale:
			return refs, false
		case own:
			mine = append(mine, r)
		default:
			others = append(others, r)
		}
	}
	wanted := wantedOwner(set, m)
	if conflicting(set, m, refs) {
		wanted = nil
	}
	switch {
	case wanted == nil && len(mine) == 0:
		return refs, false
	case wanted == nil:
		return others, true
	case len(mine) == 1 && mine[0].UID == wanted.UID && ptr.Deref(mine[0].Controller, false):
		return refs, false
	}
	return append(others, *wanted), true
}

// staleClaim says whether a claim will go with an earlier pod of the name, so that
// a new pod must not begin with it.
func staleClaim(set *appsv1.StatefulSet, m *member, claim *corev1.PersistentVolumeClaim) bool {
	whenScaled, _ := retention(set)
	return whenScaled && slices.ContainsFunc(claim.OwnerReferences, func(r metav1.OwnerReference) bool {
		return r.Kind == podKind.Kind && relate(set, m, r) == stale
	})
}
