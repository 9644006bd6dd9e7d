// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"cmp"
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
)

// wasScaled says whether the desired number has changed since the ReplicaSets
// were last sized.
func wasScaled(d *appsv1.Deployment, s *sets) bool {
	return slices.ContainsFunc(active(s.all()), func(rs *appsv1.ReplicaSet) bool { return sizedForOther(d, rs) })
}

// sizedForOther says whether a ReplicaSet was last sized for another desired
// number. One that does not say for which it was is left alone.
func sizedForOther(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	n, known := int32Annotation(rs, desiredReplicasAnnotation)
	return known && n != desired(d)
}

// rescaled are the sizes the ReplicaSets shall have when the desired number has
// changed, or may have while the rollout is paused.
func rescaled(d *appsv1.Deployment, s *sets) []resize {
	if rs, only := activeOrLatest(s); only {
		// Equal size with the old mark would look like a change for ever, and
		// keep the rollout from going on.
		if rs == nil || size(rs) == desired(d) && !(size(rs) > 0 && sizedForOther(d, rs)) {
			return nil
		}
		return []resize{{rs, desired(d)}}
	}
	switch {
	case saturated(d, s.current):
		return dropAll(s.old)
	case isRolling(d):
		return proportional(d, active(s.all()))
	case d.Spec.Paused:
		return nil
	}
	// Recreate has no shares to keep, and would wait for ever for another size.
	return dropAll(s.old)
}

// activeOrLatest is the one ReplicaSet that carries all replicas, or would, when
// there are none. It is false when several are active.
func activeOrLatest(s *sets) (*appsv1.ReplicaSet, bool) {
	some := active(s.all())
	switch {
	case len(some) > 1:
		return nil, false
	case len(some) == 1:
		return some[0], true
	case s.current != nil:
		return s.current, true
	case len(s.old) > 0:
		return s.old[len(s.old)-1], true
	}
	return nil, true
}

// saturated says whether the current ReplicaSet has all the replicas it needs,
// and was meant to.
func saturated(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	if rs == nil {
		return false
	}
	n, known := int32Annotation(rs, desiredReplicasAnnotation)
	return known && n == desired(d) && size(rs) == n && available(rs) == n
}

// proportional spreads a change of the desired number over active ReplicaSets,
// by their share, so that a rollout is no riskier after it than before. The
// largest comes first, and takes what rounding left over. Every ReplicaSet is in
// the result, with its size changed or not: its marks have to be.
func proportional(d *appsv1.Deployment, all []*appsv1.ReplicaSet) []resize {
	var allowed int64
	if desired(d) > 0 {
		allowed = maxReplicas(d)
	}
	add := allowed - int64(sum(all, size))
	all = slices.Clone(all)
	switch {
	case add > 0:
		slices.SortFunc(all, func(a, b *appsv1.ReplicaSet) int { return cmp.Or(cmp.Compare(size(b), size(a)), byAge(b, a)) })
	case add < 0:
		slices.SortFunc(all, func(a, b *appsv1.ReplicaSet) int { return cmp.Or(cmp.Compare(size(b), size(a)), byAge(a, b)) })
	}
	steps := make([]resize, 0, len(all))
	left := add
	for _, rs := range all {
		n := share(d, rs, add, left)
		left -= n
		steps = append(steps, resize{rs, nonNegative(int64(size(rs)) + n)})
	}
	if left != 0 {
		steps[0].to = nonNegative(int64(steps[0].to) + left)
	}
	return steps
}

// share is what one ReplicaSet gets of the replicas to add (or to remove, below
// 0), of which so many are left.
func share(d *appsv1.Deployment, rs *appsv1.ReplicaSet, add, left int64) int64 {
	switch {
	case left == 0:
		return 0
	case add > 0:
		return min(fraction(d, rs), left)
	}
	return max(fraction(d, rs), left)
}

// fraction is how much a ReplicaSet's size would change if it kept its share of
// the largest total.
func fraction(d *appsv1.Deployment, rs *appsv1.ReplicaSet) int64 {
	if desired(d) == 0 {
		return -int64(size(rs))
	}
	before, known := int32Annotation(rs, maxReplicasAnnotation)
	if !known || before <= 0 {
		before = d.Status.Replicas
	}
	if before <= 0 {
		return 0
	}
	return int64(math.Round(float64(size(rs))*float64(maxReplicas(d))/float64(before))) - int64(size(rs))
}

func nonNegative(n int64) int32 { return int32(min(max(n, 0), math.MaxInt32)) }
