// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodsOnTheirWayOut(t *testing.T) {
	pod := func(name string, phase corev1.PodPhase, deleted bool, node string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		p.Status.Phase, p.Spec.NodeName = phase, node
		if deleted {
			p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
		}
		return p
	}
	c := CacheOf(Pods(),
		pod("pending", corev1.PodPending, false, ""), pod("running", corev1.PodRunning, false, "a"),
		pod("unknown", corev1.PodUnknown, true, "a"), pod("failed", corev1.PodFailed, false, "b"),
		pod("succeeded", corev1.PodSucceeded, true, "b"), pod("phaseless", "", false, "c"),
	)
	if diff := cmp.Diff([]string{"failed", "phaseless", "succeeded"}, namesOf(c.Ended())); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"succeeded", "unknown"}, namesOf(c.Deleting())); diff != "" {
		t.Errorf("deleting (-want +got):\n%s", diff)
	}
	nodes := c.NodeNames()
	slices.Sort(nodes)
	if diff := cmp.Diff([]string{"a", "b", "c"}, nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestGuardingBudgets(t *testing.T) {
	budget := func(namespace, name string, selector *metav1.LabelSelector) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: selector},
		}
	}
	labelled := func(k, v string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{k: v}}
	}
	absent := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	c := CacheOf(PodDisruptionBudgets(),
		budget("ns", "nil", nil), budget("ns", "empty", &metav1.LabelSelector{}), budget("ns", "absent", absent),
		budget("ns", "web", labelled("app", "web")), budget("ns", "db", labelled("app", "db")), budget("other", "web", labelled("app", "web")),
	)
	if diff := cmp.Diff([]string{"absent", "empty"}, namesOf(c.Guarding("ns", nil))); diff != "" {
		t.Errorf("without labels (-want +got):\n%s", diff)
	}
	got := namesOf(c.Guarding("ns", map[string]string{"app": "web", "tier": "front"}))
	if diff := cmp.Diff([]string{"absent", "empty", "web"}, got); diff != "" {
		t.Errorf("with labels (-want +got):\n%s", diff)
	}
}

func TestPodsHoldingAGroup(t *testing.T) {
	pod := func(namespace, name, group string, phase corev1.PodPhase) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		p.Status.Phase, p.Spec.SchedulingGroup = phase, &corev1.PodSchedulingGroup{}
		if group != "" {
			p.Spec.SchedulingGroup.PodGroupName = &group
		}
		return p
	}
	c := CacheOf(Pods(),
		pod("ns", "pending", "g", corev1.PodPending), pod("ns", "unknown", "g", corev1.PodUnknown), pod("ns", "failed", "g", corev1.PodFailed),
		pod("ns", "succeeded", "g", corev1.PodSucceeded), pod("ns", "other", "h", corev1.PodRunning), pod("ns", "none", "", corev1.PodRunning),
		pod("elsewhere", "running", "g", corev1.PodRunning), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "alone"}},
	)
	if diff := cmp.Diff([]string{"pending", "unknown"}, namesOf(c.HoldingGroup("ns", "g"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
