// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// step is what one sync does about one member, in the order of the fields.
type step struct {
	member *member
	// delete the pod, or create it, with the claims it lacks. Nothing else is
	// done then.
	delete, create bool
	// repair the claims of a pod that waits for them: create those it lacks.
	repair bool
	// settle the owners of its claims.
	settle bool
	// stop here, if the set goes by order.
	stop bool
	// adjust the pod and its claims to the set.
	adjust bool
}

// idle steps do nothing.
func (s step) idle() bool { return !s.delete && !s.create && !s.repair && !s.settle && !s.adjust }

// claimState is what is known of a member's claims.
type claimState struct {
	// stale claims belong to an earlier pod of the name, with which they go.
	stale bool
	// settled claims have the owners that the retention policy asks for.
	settled bool
}

// slotStep decides about a member that the set wants.
func (v *view) slotStep(m *member, claims claimState) step {
	s := step{member: m}
	switch ordered := monotonic(v.set); {
	case m.created() && podstate.Terminal(m.pod):
		s.delete, s.stop = !m.terminating(), true
	case !m.created():
		s.create = !claims.stale
		s.stop = ordered || claims.stale
	default:
		s.repair = m.pod.Status.Phase == corev1.PodPending
		s.settle = s.repair
		s.stop = ordered && (m.terminating() || !serving(m.pod) || !v.available(m))
		s.adjust = !s.stop && !(identified(m.pod) && stored(v.set, m) && claims.settled)
	}
	return s
}

// releaseStep decides about the claims of a member that the set does not want any
// more, before its pod goes.
func releaseStep(m *member, claims claimState) step { return step{member: m, settle: !claims.settled} }

// condemnedStep decides about a member that the set does not want any more.
func (v *view) condemnedStep(m, firstUnavailable *member) step {
	s := step{member: m, stop: true}
	blocked := monotonic(v.set) && m != firstUnavailable && (!serving(m.pod) || !v.available(m))
	s.delete = !m.terminating() && !blocked
	return s
}
