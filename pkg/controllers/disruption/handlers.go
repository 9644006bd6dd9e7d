// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func keyOf(o metav1.Object) key { return key{Namespace: o.GetNamespace(), Name: o.GetName()} }

func (c *budgets) enqueue(b *policyv1.PodDisruptionBudget) { c.queue.Add(keyOf(b)) }

func (c *budgets) podChanged(pod *corev1.Pod) {
	c.enqueueBudgetOf(pod)
	if remaining, announced := untilStale(pod, c.clock.Now()); announced {
		c.stale.AddAfter(keyOf(pod), remaining)
	}
}

// enqueueBudgetOf queues the PodDisruptionBudget of a pod. There should be one at
// most: the API server refuses to evict a pod that has several.
func (c *budgets) enqueueBudgetOf(pod *corev1.Pod) {
	b, more := first(c.budgets.Guarding(pod.Namespace, pod.Labels), pod.Labels)
	if b == nil {
		return
	}
	if more {
		c.recorder.Eventf(pod, corev1.EventTypeWarning, "MultiplePodDisruptionBudgets",
			"Pod %q/%q matches multiple PodDisruptionBudgets.  Chose %q arbitrarily.", pod.Namespace, pod.Name, b.Name)
	}
	c.enqueue(b)
}

// first is the first by name, of some candidates, that selects these labels, and
// whether there are more. A selector that makes no sense selects nothing.
func first(candidates []*policyv1.PodDisruptionBudget, set labels.Set) (chosen *policyv1.PodDisruptionBudget, more bool) {
	for _, b := range candidates {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil || !selector.Matches(set) {
			continue
		}
		more = chosen != nil
		if chosen == nil || b.Name < chosen.Name {
			chosen = b
		}
	}
	return chosen, more
}

// syncOverdue has a PodDisruptionBudget looked at again.
func (c *budgets) syncOverdue(_ context.Context, k key) error {
	c.queue.AddRateLimited(k)
	return nil
}
