// SPDX-License-Identifier: Apache-2.0

// Package podstate says in which state a pod is, as the controllers that own
// pods see it. It reads the pod and the instant it is given, nothing else.
package podstate

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Terminal pods have ended: no container runs or will run.
func Terminal(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// Active pods run or will, and nobody has asked for their end.
func Active(p *corev1.Pod) bool { return !Terminal(p) && p.DeletionTimestamp == nil }

// Terminating pods are on their way out and still hold what they were given.
func Terminating(p *corev1.Pod) bool { return !Terminal(p) && p.DeletionTimestamp != nil }

// Condition is the pod's condition of that type, or nil. It points into the
// pod.
func Condition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// Ready says whether the pod serves. Its phase does not count.
func Ready(p *corev1.Pod) bool {
	c := Condition(p, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

// ReadySince is when a ready pod became so. The instant is zero when the pod
// does not tell.
func ReadySince(p *corev1.Pod) (time.Time, bool) {
	c := Condition(p, corev1.PodReady)
	if c == nil || c.Status != corev1.ConditionTrue {
		return time.Time{}, false
	}
	return c.LastTransitionTime.Time, true
}

// Available pods have been ready for minReadySeconds. With 0, ready is enough.
func Available(p *corev1.Pod, minReadySeconds int32, now time.Time) bool {
	since, ready := ReadySince(p)
	if !ready || minReadySeconds == 0 {
		return ready
	}
	return !since.IsZero() && !since.Add(seconds(minReadySeconds)).After(now)
}

// NextAvailability is how long to wait, from now, until the next ready pod
// becomes available, as seen at the instant for which the pods were counted;
// 0 when that moment has passed since. When no pod is on its way it is the whole
// minReadySeconds, so that somebody looks again.
func NextAvailability(pods []*corev1.Pod, minReadySeconds int32, counted, now time.Time) time.Duration {
	var next time.Time
	for _, p := range pods {
		since, ready := ReadySince(p)
		if !ready || since.IsZero() {
			continue
		}
		at := since.Add(seconds(minReadySeconds))
		if at.After(counted) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() {
		return seconds(minReadySeconds)
	}
	return max(next.Sub(now), 0)
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
