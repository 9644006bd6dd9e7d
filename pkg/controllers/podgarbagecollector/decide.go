// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// surplus are the pods, of those that have ended, by which there are more than a
// threshold; a threshold of 0 or less lets all stay.
func surplus(ended []*corev1.Pod, threshold int) []*corev1.Pod {
	if threshold <= 0 || len(ended) <= threshold {
		return nil
	}
	inOrder(ended)
	return ended[:len(ended)-threshold]
}

// outOfService are the pods, of those that are being deleted, whose Node is known
// to be out of service, so that no kubelet will finish the deletion.
func outOfService(deleting []*corev1.Pod, node func(name string) *corev1.Node) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, p := range deleting {
		if n := node(p.Spec.NodeName); n != nil && !ready(n) && abandoned(n) {
			pods = append(pods, p)
		}
	}
	inOrder(pods)
	return pods
}

// unscheduled are the pods, of those that are being deleted, that are on no Node.
func unscheduled(deleting []*corev1.Pod) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, p := range deleting {
		if p.Spec.NodeName == "" {
			pods = append(pods, p)
		}
	}
	inOrder(pods)
	return pods
}

// inOrder puts first what is missed least: evicted pods, then old ones.
func inOrder(pods []*corev1.Pod) {
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		if evicted(a) != evicted(b) {
			if evicted(a) {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
}

func evicted(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed && p.Status.Reason == "Evicted"
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// abandoned says whether an operator promises that nothing runs on the Node.
func abandoned(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}
