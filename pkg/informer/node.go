// SPDX-License-Identifier: Apache-2.0

package informer

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Names of the indexes that concern nodes.
const (
	byNode         = "node"
	byNodeLabel    = "nodeLabel"
	byNodeLabelKey = "nodeLabelKey"
)

// nodeIndex files a pod under the node it was bound to.
func nodeIndex(obj any) ([]string, error) {
	if p, ok := obj.(*corev1.Pod); ok && p.Spec.NodeName != "" {
		return []string{p.Spec.NodeName}, nil
	}
	return nil, nil
}

// nodeLabelIndex files a DaemonSet under the one label of its node selector that
// is likely the rarest (the longest), or under anySelector.
func nodeLabelIndex(obj any) ([]string, error) {
	ds, ok := obj.(*appsv1.DaemonSet)
	if !ok {
		return nil, nil
	}
	best := ""
	for k, v := range ds.Spec.Template.Spec.NodeSelector {
		if label := k + "=" + v; len(label) > len(best) || len(label) == len(best) && label > best {
			best = label
		}
	}
	if best == "" {
		best = anySelector
	}
	return []string{best}, nil
}

// nodeLabelKeyIndex files a DaemonSet under each key of a node's labels on which
// its choice of nodes depends.
func nodeLabelKeyIndex(obj any) ([]string, error) {
	ds, ok := obj.(*appsv1.DaemonSet)
	if !ok {
		return nil, nil
	}
	spec := &ds.Spec.Template.Spec
	keys := make([]string, 0, len(spec.NodeSelector))
	for k := range spec.NodeSelector {
		keys = append(keys, k)
	}
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil || spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return keys, nil
	}
	for _, term := range spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, r := range term.MatchExpressions {
			keys = append(keys, r.Key)
		}
	}
	return keys, nil
}

// OnNode are the pods that were bound to a node.
func (c Cache[T]) OnNode(node string) []T { return c.lookup(byNode, node) }

// FittingNode are the DaemonSets whose node selector may match these labels of a
// node. Those without one are always among them, so this grows with their number.
func (c Cache[T]) FittingNode(labels map[string]string) []T {
	found := c.lookup(byNodeLabel, anySelector)
	for k, v := range labels {
		found = append(found, c.lookup(byNodeLabel, k+"="+v)...)
	}
	return found
}

// DependingOnNodeLabel are the DaemonSets whose choice of nodes depends on the
// label of that key.
func (c Cache[T]) DependingOnNodeLabel(key string) []T { return c.lookup(byNodeLabelKey, key) }
