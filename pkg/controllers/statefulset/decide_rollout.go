// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// maxUnavailable is how many pods a rolling update may make unavailable: 1 unless
// the set says otherwise, and never less. A percentage is of the replicas and
// rounded down.
func (v *view) maxUnavailable() (int, error) {
	rolling := v.set.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil || rolling.MaxUnavailable == nil {
		return 1, nil
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, int(replicas(v.set)), false)
	return max(n, 1), err
}

// unpartitioned are the slots that a rolling update concerns, the highest first.
func (v *view) unpartitioned() []*member {
	partition := 0
	if rolling := v.set.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
		partition = int(ptr.Deref(rolling.Partition, 0))
	}
	chosen := slices.Clone(v.slots[min(max(partition, 0), len(v.slots)):])
	slices.Reverse(chosen)
	return chosen
}

// old members are at another revision and not on their way out.
func (v *view) old(m *member) bool { return m.revision != v.update && !m.leaving() }

// unavailableSlots counts, below the partition too.
func (v *view) unavailableSlots() int {
	n := 0
	for _, m := range v.slots {
		if v.unavailable(m) {
			n++
		}
	}
	return n
}

// outdated are the members that a rolling update deletes now, so that they come
// back at the new revision, with a budget of unavailable pods.
func (v *view) outdated(budget int) []*member {
	budget -= v.unavailableSlots()
	if !monotonic(v.set) {
		return v.outdatedParallel(budget)
	}
	var chosen []*member
	for _, m := range v.unpartitioned() {
		if len(chosen) >= budget {
			break
		}
		if v.old(m) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// outdatedParallel are first the members that are unavailable already, whose end
// takes nothing from anybody, then available ones as far as the budget goes.
func (v *view) outdatedParallel(budget int) []*member {
	var broken, whole []*member
	for _, m := range v.unpartitioned() {
		switch {
		case !v.old(m):
		case !v.available(m):
			broken = append(broken, m)
		case len(whole) < budget:
			whole = append(whole, m)
		}
	}
	return append(broken, whole...)
}

// outdatedOneByOne is the member that a rolling update without a budget deletes
// now: the highest old one, once all above it are available.
func (v *view) outdatedOneByOne() []*member {
	for _, m := range v.unpartitioned() {
		if v.old(m) {
			return []*member{m}
		}
		if v.unavailable(m) {
			return nil
		}
	}
	return nil
}
