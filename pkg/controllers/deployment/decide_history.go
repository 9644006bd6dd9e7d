// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
)

// expired are the old ReplicaSets beyond the limit of the history that can be
// deleted: those with the lowest revisions. One that is in use, or whose status
// is behind, is spared, and no other goes in its place.
func expired(d *appsv1.Deployment, old []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	limit := d.Spec.RevisionHistoryLimit
	if limit == nil || *limit == infinite {
		return nil
	}
	var kept []*appsv1.ReplicaSet
	for _, rs := range old {
		if rs.DeletionTimestamp == nil {
			kept = append(kept, rs)
		}
	}
	excess := len(kept) - int(*limit)
	if excess <= 0 {
		return nil
	}
	slices.SortFunc(kept, byRevision)
	return slices.DeleteFunc(kept[:excess], func(rs *appsv1.ReplicaSet) bool {
		return existing(rs) != 0 || size(rs) != 0 || rs.Generation > rs.Status.ObservedGeneration
	})
}

func byRevision(a, b *appsv1.ReplicaSet) int {
	m, okA := revisionOf(a)
	n, okB := revisionOf(b)
	if okA && okB && m != n {
		return cmp.Compare(m, n)
	}
	return byAge(a, b)
}

// rollbackTo is the revision a Deployment is asked to go back to.
func rollbackTo(d *appsv1.Deployment) (int64, bool) {
	n, err := strconv.ParseInt(d.Annotations[rollbackAnnotation], 10, 64)
	return n, err == nil
}

// lastRevision is the revision before the current one, 0 when there is none.
func lastRevision(all []*appsv1.ReplicaSet) int64 {
	var highest, second int64
	for _, rs := range all {
		n, ok := revisionOf(rs)
		switch {
		case !ok:
		case n >= highest:
			highest, second = n, highest
		case n > second:
			second = n
		}
	}
	return second
}

// ofRevision is the ReplicaSet with a revision, or nil.
func ofRevision(all []*appsv1.ReplicaSet, revision int64) *appsv1.ReplicaSet {
	for _, rs := range all {
		if n, ok := revisionOf(rs); ok && n == revision {
			return rs
		}
	}
	return nil
}

// restore gives a Deployment the template and the shared annotations of a
// ReplicaSet.
func restore(d *appsv1.Deployment, rs *appsv1.ReplicaSet) {
	withoutHash(&rs.Spec.Template).DeepCopyInto(&d.Spec.Template)
	own := maps.Clone(d.Annotations)
	maps.DeleteFunc(own, func(k, _ string) bool { return !isOwn(k) })
	d.Annotations = withShared(own, rs.Annotations)
}
