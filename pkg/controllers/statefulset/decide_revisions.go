// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
)

// choice is which revision stands for the set's template.
type choice struct {
	// revision that exists, or nil when one must be created.
	revision *appsv1.ControllerRevision
	// number it should have.
	number int64
}

// choose looks for the data of the set's template among its revisions, the oldest
// first. The newest is taken as it is; an older one becomes the newest, which is
// what a rollback does. The function same is asked about a newest revision with
// other data.
func choose(sorted []*appsv1.ControllerRevision, data []byte, same func(*appsv1.ControllerRevision) bool) choice {
	next := revision.Next(sorted)
	if len(sorted) == 0 {
		return choice{number: next}
	}
	newest := sorted[len(sorted)-1]
	if revision.Equal(newest, data) {
		return choice{newest, newest.Revision}
	}
	if equal, _ := revision.Find(sorted, data); len(equal) > 0 {
		return choice{equal[len(equal)-1], next}
	}
	if same(newest) {
		return choice{newest, newest.Revision}
	}
	return choice{number: next}
}

// currentOf is the revision that a set's status calls current, or else the one
// that its pods are to be updated to.
func currentOf(set *appsv1.StatefulSet, sorted []*appsv1.ControllerRevision, update *appsv1.ControllerRevision) *appsv1.ControllerRevision {
	for _, r := range sorted {
		if r.Name == set.Status.CurrentRevision {
			return r
		}
	}
	return update
}

// defaultHistoryLimit is what the API server fills in.
const defaultHistoryLimit = 10

// expired are the revisions beyond the limit, the oldest first. Live ones neither
// expire nor count; a negative limit keeps all.
func expired(sorted []*appsv1.ControllerRevision, live sets.Set[string], limit *int32) []*appsv1.ControllerRevision {
	keep := int(ptr.Deref(limit, defaultHistoryLimit))
	if keep < 0 {
		return nil
	}
	isLive := func(r *appsv1.ControllerRevision) bool { return live.Has(r.Name) }
	n := 0
	for _, r := range sorted {
		if !isLive(r) {
			n++
		}
	}
	return revision.Oldest(sorted, n-keep, isLive)
}
