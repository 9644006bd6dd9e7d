// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// status counts nodes, by the first pod of each. With observed it says that the
// latest spec was acted on.
func (v view) status(observed bool) appsv1.DaemonSetStatus {
	s := appsv1.DaemonSetStatus{
		ObservedGeneration: v.Set.Status.ObservedGeneration,
		CollisionCount:     v.Set.Status.CollisionCount,
		Conditions:         v.Set.Status.Conditions,
	}
	if observed {
		s.ObservedGeneration = v.Set.Generation
	}
	for i := range v.Places {
		at := &v.Places[i]
		switch {
		case at.Gone:
		case at.Run:
			s.DesiredNumberScheduled++
			if len(at.Pods) > 0 {
				v.count(&s, at.Pods[0])
			}
		case len(at.Pods) > 0:
			s.NumberMisscheduled++
		}
	}
	s.NumberUnavailable = s.DesiredNumberScheduled - s.NumberAvailable
	return s
}

func (v view) count(s *appsv1.DaemonSetStatus, pod *corev1.Pod) {
	s.CurrentNumberScheduled++
	if podstate.Ready(pod) {
		s.NumberReady++
		if v.available(pod) {
			s.NumberAvailable++
		}
	}
	if v.updated(pod) {
		s.UpdatedNumberScheduled++
	}
}

// ripening says whether a ready pod becomes available with time alone. It need
// not be one that the status counts: an update may wait for it.
func (v view) ripening() bool {
	for i := range v.Places {
		for _, pod := range v.Places[i].Pods {
			if since, ready := podstate.ReadySince(pod); ready && !since.IsZero() && !v.available(pod) {
				return true
			}
		}
	}
	return false
}

// pods are those of all places.
func (v view) pods() []*corev1.Pod {
	var all []*corev1.Pod
	for i := range v.Places {
		all = append(all, v.Places[i].Pods...)
	}
	return all
}
