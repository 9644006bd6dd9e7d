// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// inventory is what can be measured. It is never changed.
type inventory struct {
	// special evaluators have names of their own.
	special map[schema.GroupResource]evaluator
	// counting has the evaluators of all other resources.
	counting map[schema.GroupResource]evaluator
	// served resources exist, and the unknown groups may have others.
	served  map[schema.GroupResource]bool
	unknown map[string]bool
}

// evaluator is one with the state of the caches that it reads.
type evaluator struct {
	quota.Evaluator
	state state
}

// state of caches.
type state int

// States of caches, the better the higher.
const (
	failing state = iota // do not fill, or not in time
	filling
	ready
)

// of is the evaluator of a resource.
func (v *inventory) of(r schema.GroupResource) (evaluator, bool) {
	if e, found := v.special[r]; found {
		return e, true
	}
	e, found := v.counting[r]
	return e, found
}

// matching are the evaluators that know a name.
func (v *inventory) matching(name corev1.ResourceName) (list []schema.GroupResource) {
	for r, e := range v.special {
		if e.Matches(name) {
			list = append(list, r)
		}
	}
	r, counts := quota.Counted(name)
	if !counts {
		r = schema.GroupResource{Resource: string(name)}
	}
	if e, found := v.counting[r]; found && e.Matches(name) {
		list = append(list, r)
	}
	return list
}

// measures says whether a name is known.
func (v *inventory) measures(name corev1.ResourceName) bool { return len(v.matching(name)) > 0 }

// vanished is the resource that is counted under a name, when it certainly does
// not exist.
func (v *inventory) vanished(name corev1.ResourceName) (schema.GroupResource, bool) {
	r, counts := quota.Counted(name)
	return r, counts && len(v.served) > 0 && !v.served[r] && !v.unknown[r.Group]
}

// plan says how to measure a quota.
type plan struct {
	evaluators []quota.Evaluator
	names      []corev1.ResourceName
	// missing names cannot be measured now. Filling says that one of them probably
	// can be soon.
	missing []corev1.ResourceName
	filling bool
}

// plan is how to measure a quota with what there is.
func (v *inventory) plan(q *corev1.ResourceQuota) (p plan) {
	used := map[schema.GroupResource]quota.Evaluator{}
	for _, name := range quota.Names(q.Spec.Hard) {
		measurable := true
		resources := v.matching(name)
		for _, r := range resources {
			if e, _ := v.of(r); e.state != ready {
				measurable, p.filling = false, p.filling || e.state == filling
			}
		}
		if !measurable {
			p.missing = append(p.missing, name)
			continue
		}
		for _, r := range resources {
			used[r], _ = v.of(r)
		}
		// What was counted of a resource that exists no more is not used any more.
		if _, known := q.Status.Used[name]; known && len(resources) == 0 {
			if r, gone := v.vanished(name); gone {
				used[r] = quota.Counting{Resource: r}
			}
		}
		p.names = append(p.names, name)
	}
	p.evaluators = slices.Collect(maps.Values(used))
	return p
}

// news are the evaluators for which quotas may have waited, or whose objects are
// gone, since an older inventory.
func (v *inventory) news(old *inventory) (list []quota.Evaluator) {
	for _, group := range []struct {
		now, before map[schema.GroupResource]evaluator
	}{{v.special, old.special}, {v.counting, old.counting}} {
		for r, e := range group.now {
			if before, found := group.before[r]; e.state != filling && (!found || before.state != e.state) {
				list = append(list, e.Evaluator)
			}
		}
		for r, e := range group.before {
			if _, found := group.now[r]; !found {
				list = append(list, e.Evaluator)
			}
		}
	}
	return list
}

// incomplete says whether there are caches that fill, and such as do not.
func (v *inventory) incomplete() (waiting, broken bool) {
	for _, group := range []map[schema.GroupResource]evaluator{v.special, v.counting} {
		for _, e := range group {
			waiting, broken = waiting || e.state == filling, broken || e.state == failing
		}
	}
	return waiting, broken
}
