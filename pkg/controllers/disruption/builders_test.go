// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// noon is the instant at which decisions of the tests are made.
func noon() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

func before(d time.Duration) metav1.Time { return metav1.NewTime(noon().Add(-d)) }

// pod makes a pod, which the changes then give its state.
func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-" + name), Generation: 1}}
	for _, f := range change {
		f(p)
	}
	return p
}

func condition(c corev1.PodCondition) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Conditions = append(p.Status.Conditions, c) }
}

func ready(p *corev1.Pod) {
	condition(corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})(p)
}

func deleted(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: noon()} }

// ownedBy gives a pod, or another object, a controller.
func ownedBy(apiVersion, kind, name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{reference(apiVersion, kind, name)} }
}

// reference to a controller whose UID is its name.
func reference(apiVersion, kind, name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID(name), Controller: new(true)}
}

func minAvailable(v string) policyv1.PodDisruptionBudgetSpec {
	n := intstr.Parse(v)
	return policyv1.PodDisruptionBudgetSpec{MinAvailable: &n}
}

func maxUnavailable(v string) policyv1.PodDisruptionBudgetSpec {
	n := intstr.Parse(v)
	return policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &n}
}
