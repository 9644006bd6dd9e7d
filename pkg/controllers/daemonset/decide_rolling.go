// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// carriesHash says whether a pod is labelled with the current revision.
func (v view) carriesHash(pod *corev1.Pod) bool {
	return pod.Labels[hashLabel] == v.Hash
}

// surges says whether an old pod stays until the new one is available.
func (v view) surges() bool {
	s := v.Set.Spec.UpdateStrategy
	if s.Type != appsv1.RollingUpdateDaemonSetStrategyType || s.RollingUpdate == nil {
		return false
	}
	n, err := scaled(s.RollingUpdate.MaxSurge, 1)
	return err == nil && n > 0
}

func scaled(value *intstr.IntOrString, of int) (int, error) {
	if value == nil {
		return 0, nil
	}
	return intstr.GetScaledValueFromIntOrPercent(value, of, true)
}

// limits are how many nodes may be without an available pod, and how many may
// have two pods, while an update goes on. One of them is always above 0.
func (v view) limits() (unavailable, surge int, err error) {
	desired := v.desired()
	if r := v.Set.Spec.UpdateStrategy.RollingUpdate; r != nil {
		if unavailable, err = scaled(r.MaxUnavailable, desired); err != nil {
			return 0, 0, fmt.Errorf("invalid value for MaxUnavailable: %w", err)
		}
		if surge, err = scaled(r.MaxSurge, desired); err != nil {
			return 0, 0, fmt.Errorf("invalid value for MaxSurge: %w", err)
		}
	}
	if desired > 0 && unavailable == 0 && surge == 0 {
		unavailable = 1
	}
	return unavailable, surge, nil
}

// roll replaces pods of other revisions by ones of the current revision.
func (v view) roll() (plan, error) {
	unavailable, surge, err := v.limits()
	switch {
	case err != nil:
		return plan{}, err
	case surge > 0:
		return v.rollBySurge(surge)
	}
	return v.rollByDeletion(unavailable), nil
}

// split finds the new and the old pod of a node. It is not ok when there are
// several of one: that must be put right first.
func (v view) split(at *place) (current, old *corev1.Pod, ok bool) {
	for _, pod := range alive(at.Pods) {
		slot := &old
		if v.updated(pod) {
			slot = &current
		}
		if *slot != nil {
			return nil, nil, false
		}
		*slot = pod
	}
	return current, old, true
}

// counts says whether a place takes part in an update: where nothing is and
// nothing should be, nothing is missing.
func (at *place) counts() bool { return at.Run || len(at.Pods) > 0 }

// rollByDeletion makes room for new pods. Old ones that serve nobody go at once;
// the others as long as not too many nodes are without an available pod.
func (v view) rollByDeletion(limit int) plan {
	var (
		p          plan
		candidates []removal
		missing    int
	)
	for i := range v.Places {
		at := &v.Places[i]
		if !at.counts() {
			continue
		}
		current, old, ok := v.split(at)
		switch {
		case !ok, (current == nil) == (old == nil):
			missing++
		case current != nil:
			if !v.available(current) {
				missing++
			}
		case !v.available(old):
			missing++
			p.remove(at, unwanted, old)
		case missing < limit:
			candidates = append(candidates, removal{Pod: old, Node: at.Node})
		}
	}
	p.Delete = append(p.Delete, candidates[:min(len(candidates), max(0, limit-missing))]...)
	return p
}

// rollBySurge makes new pods beside the old ones, and deletes these when the new
// ones are available.
func (v view) rollBySurge(limit int) (plan, error) {
	var s surgePlan
	for i := range v.Places {
		at := &v.Places[i]
		if !at.counts() {
			continue
		}
		current, old, ok := v.split(at)
		if !ok {
			s.surging++
			continue
		}
		if old != nil && v.available(old) || old == nil && current != nil && v.available(current) {
			s.available++
		}
		switch {
		case old == nil: // new already, or empty, which manage fills
		case current == nil && at.Gone:
			return plan{}, fmt.Errorf("node %q not found", at.Node)
		case current == nil:
			v.begin(&s, at, old, limit)
		case v.available(current):
			s.remove(at, unwanted, old)
		default:
			s.surging++
		}
	}
	return s.finish(limit, v.desired()), nil
}

// surgePlan is an update that is being planned.
type surgePlan struct {
	plan
	// surging nodes have a second pod that is not available yet.
	surging   int
	available int
	// next nodes get a second pod, and leaving pods go from nodes that are no
	// longer eligible, as far as the limits allow.
	next    []string
	leaving []removal
}

// begin is for a node that has the old pod alone.
func (v view) begin(s *surgePlan, at *place, old *corev1.Pod, limit int) {
	switch serves := v.available(old); {
	case !at.Run && !serves:
		s.remove(at, unwanted, old)
	case !at.Run:
		s.leaving = append(s.leaving, removal{Pod: old, Node: at.Node})
	case !serves:
		s.Create = append(s.Create, at.Node)
	case s.surging < limit:
		s.next = append(s.next, at.Node)
	}
}

func (s *surgePlan) finish(limit, desired int) plan {
	s.Create = append(s.Create, s.next[:min(len(s.next), max(0, limit-s.surging))]...)
	s.Delete = append(s.Delete, s.leaving[:min(len(s.leaving), max(0, s.available-desired))]...)
	return s.plan
}
