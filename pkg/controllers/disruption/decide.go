// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// relative says whether what a PodDisruptionBudget requires depends on how many
// pods their controllers want, and not only on how many there are.
func relative(spec *policyv1.PodDisruptionBudgetSpec) bool {
	return spec.MaxUnavailable != nil || spec.MinAvailable != nil && spec.MinAvailable.Type == intstr.String
}

// need is how many pods there should be, and how many of them must be healthy.
type need struct {
	expected, healthy int32
}

// required is the need when so many pods are expected.
func required(spec *policyv1.PodDisruptionBudgetSpec, expected int32) (need, error) {
	switch {
	case spec.MaxUnavailable != nil:
		n, err := intstr.GetScaledValueFromIntOrPercent(spec.MaxUnavailable, int(expected), true)
		return need{expected, max(expected-int32(n), 0)}, err
	case spec.MinAvailable != nil:
		n, err := intstr.GetScaledValueFromIntOrPercent(spec.MinAvailable, int(expected), true)
		return need{expected, int32(n)}, err
	}
	return need{}, nil
}

// departure is what has become of the evictions that the API server recorded.
type departure struct {
	// awaited are those whose pod is still to be deleted, by the pod's name.
	awaited map[string]metav1.Time
	// overdue are pods whose deletion is not waited for any longer.
	overdue []*corev1.Pod
	// next is when the first awaited eviction becomes overdue, or zero.
	next time.Time
}

// survey goes through the recorded evictions. One whose pod is being deleted, or
// gone, is done.
func survey(pods []*corev1.Pod, recorded map[string]metav1.Time, now time.Time) departure {
	d := departure{}
	for _, pod := range pods {
		at, evicted := recorded[pod.Name]
		if !evicted || pod.DeletionTimestamp != nil {
			continue
		}
		due := at.Add(deletionTimeout)
		if due.Before(now) {
			d.overdue = append(d.overdue, pod)
			continue
		}
		if d.awaited == nil {
			d.awaited = map[string]metav1.Time{}
		}
		d.awaited[pod.Name] = at
		if d.next.IsZero() || due.Before(d.next) {
			d.next = due
		}
	}
	return d
}

// healthy counts the pods that are ready and do not leave.
func healthy(pods []*corev1.Pod, awaited map[string]metav1.Time, now time.Time) (n int32) {
	for _, pod := range pods {
		if at, leaving := awaited[pod.Name]; leaving && at.Add(deletionTimeout).After(now) {
			continue
		}
		if pod.DeletionTimestamp == nil && podstate.Ready(pod) {
			n++
		}
	}
	return n
}

// allowance is the status that a PodDisruptionBudget should have.
func allowance(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod, n need, d departure, now time.Time) *policyv1.PodDisruptionBudgetStatus {
	s := b.Status.DeepCopy()
	s.CurrentHealthy = healthy(pods, d.awaited, now)
	s.DesiredHealthy = n.healthy
	s.ExpectedPods = n.expected
	s.DisruptionsAllowed = max(s.CurrentHealthy-n.healthy, 0)
	if n.expected <= 0 {
		s.DisruptionsAllowed = 0
	}
	s.DisruptedPods = d.awaited
	s.ObservedGeneration = b.Generation
	c := metav1.Condition{Status: metav1.ConditionFalse, Reason: policyv1.InsufficientPodsReason}
	if s.DisruptionsAllowed > 0 {
		c = metav1.Condition{Status: metav1.ConditionTrue, Reason: policyv1.SufficientPodsReason}
	}
	setAllowed(s, c, now)
	return s
}

// failed is the status of a PodDisruptionBudget that could not be computed:
// nothing may be evicted, and all else stays as it was.
func failed(old *policyv1.PodDisruptionBudgetStatus, err error, now time.Time) *policyv1.PodDisruptionBudgetStatus {
	s := old.DeepCopy()
	s.DisruptionsAllowed = 0
	setAllowed(s, metav1.Condition{Status: metav1.ConditionFalse, Reason: policyv1.SyncFailedReason, Message: err.Error()}, now)
	return s
}

// setAllowed sets the condition that says whether disruptions are allowed.
func setAllowed(s *policyv1.PodDisruptionBudgetStatus, c metav1.Condition, now time.Time) {
	c.Type = policyv1.DisruptionAllowedCondition
	c.ObservedGeneration = s.ObservedGeneration
	c.LastTransitionTime = metav1.NewTime(now)
	meta.SetStatusCondition(&s.Conditions, c)
}
