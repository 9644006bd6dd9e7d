// SPDX-License-Identifier: Apache-2.0

package deployment

import appsv1 "k8s.io/api/apps/v1"

// resize is a ReplicaSet and the size it shall have.
type resize struct {
	rs *appsv1.ReplicaSet
	to int32
}

// nextSize is the size the current ReplicaSet shall have after this step of a
// rolling update.
func nextSize(d *appsv1.Deployment, s *sets) int32 {
	if size(s.current) >= desired(d) {
		return desired(d)
	}
	return grown(d, size(s.current), sum(s.all(), size))
}

// dispensable is how many old pods can go without the Deployment falling below
// its minimum, should every new pod that is not available yet stay so.
func dispensable(d *appsv1.Deployment, s *sets) int32 {
	if sum(s.old, size) == 0 {
		return 0
	}
	newUnavailable := size(s.current) - available(s.current)
	return max(0, sum(s.all(), size)-minAvailable(d)-newUnavailable)
}

// dropUnhealthy shrinks old ReplicaSets by pods that are not available, which
// costs nothing, by no more than a budget. The oldest go first.
//
// A ReplicaSet with more available pods than it asks for has just been shrunk,
// and its status does not show it yet. Then nothing that is derived from the
// counts is sure, and this step must be the last.
func dropUnhealthy(old []*appsv1.ReplicaSet, budget int32) (steps []resize, sure bool) {
	for _, rs := range active(old) {
		if budget <= 0 {
			break
		}
		unhealthy := size(rs) - available(rs)
		if unhealthy < 0 {
			return steps, false
		}
		if n := min(unhealthy, budget); n > 0 {
			steps = append(steps, resize{rs, size(rs) - n})
			budget -= n
		}
	}
	return steps, true
}

// dropSurplus shrinks old ReplicaSets by as many pods as are available beyond
// the minimum. The oldest go first.
func dropSurplus(d *appsv1.Deployment, s *sets) (steps []resize) {
	budget := sum(s.all(), available) - minAvailable(d)
	for _, rs := range active(s.old) {
		if budget <= 0 {
			break
		}
		n := min(size(rs), budget)
		steps = append(steps, resize{rs, size(rs) - n})
		budget -= n
	}
	return steps
}

// dropAll shrinks ReplicaSets to nothing.
func dropAll(all []*appsv1.ReplicaSet) (steps []resize) {
	for _, rs := range active(all) {
		steps = append(steps, resize{rs, 0})
	}
	return steps
}
