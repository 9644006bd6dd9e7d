// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Hashes of the current revision and of another one.
const (
	current = "new"
	former  = "old"
)

func instant() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// rolling is a DaemonSet with these limits, "" for the one that is not set.
func rolling(maxUnavailable, maxSurge string) *appsv1.DaemonSet {
	r := &appsv1.RollingUpdateDaemonSet{}
	if maxUnavailable != "" {
		v := intstr.Parse(maxUnavailable)
		r.MaxUnavailable = &v
	}
	if maxSurge != "" {
		v := intstr.Parse(maxSurge)
		r.MaxSurge = &v
	}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "web"},
		Spec: appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
			Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: r,
		}},
	}
}

type change func(*corev1.Pod)

// pod of a revision that waits to be scheduled, an hour old.
func pod(name, hash string, changes ...change) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, Labels: map[string]string{hashLabel: hash},
		CreationTimestamp: metav1.NewTime(instant().Add(-time.Hour)),
	}}
	for _, c := range changes {
		c(p)
	}
	return p
}

func on(node string) change { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func pinned(node string) change { return func(p *corev1.Pod) { pin(&p.Spec, node) } }

// ready pods became so that long ago.
func ready(ago time.Duration) change {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(instant().Add(-ago)),
		}}
	}
}

func phase(is corev1.PodPhase) change { return func(p *corev1.Pod) { p.Status.Phase = is } }

func old(ago time.Duration) change {
	return func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(instant().Add(-ago)) }
}

func leaving(p *corev1.Pod) {
	now := metav1.NewTime(instant())
	p.DeletionTimestamp = &now
}

// at is an eligible node with these pods.
func at(node string, pods ...*corev1.Pod) place {
	slices.SortFunc(pods, order)
	return place{verdict: verdict{Run: true, Keep: true}, Node: node, Pods: pods}
}

// outcome is a plan in a form that compares well.
type outcome struct {
	Create, Delete, Failed, Succeeded []string
	Retry                             time.Duration
}

func outcomeOf(p plan) outcome {
	o := outcome{Create: p.Create, Retry: p.Retry}
	for _, r := range p.Delete {
		list := map[cause]*[]string{unwanted: &o.Delete, failed: &o.Failed, succeeded: &o.Succeeded}[r.Why]
		*list = append(*list, r.Pod.Name)
	}
	return o
}
