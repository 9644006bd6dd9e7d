// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// capacityChanged says whether an update of a node changes what its zone can
// serve.
func capacityChanged(old, node *corev1.Node) bool {
	return isReady(old) != isReady(node) ||
		old.Labels[corev1.LabelTopologyZone] != node.Labels[corev1.LabelTopologyZone]
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
