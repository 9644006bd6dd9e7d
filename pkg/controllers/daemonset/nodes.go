// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// nodeChange is what a node's DaemonSets have to be looked at for. A label's
// change concerns those that name its key, which are few or none: labels of nodes
// are often changed by programs that measure something. A new node, and one with
// other taints, concerns every DaemonSet that fits its labels, which without node
// selectors are all of them.
type nodeChange struct {
	Node string
	// Label is the key of the label that changed, or "" for everything.
	Label string
}

func (c *daemonSets) nodeAdded(node *corev1.Node) { c.nodeQueue.Add(nodeChange{Node: node.Name}) }

func (c *daemonSets) nodeUpdated(old, node *corev1.Node) {
	if !equality.Semantic.DeepEqual(old.Spec.Taints, node.Spec.Taints) || old.UID != node.UID {
		c.nodeAdded(node)
		return
	}
	for _, key := range changedLabels(old.Labels, node.Labels) {
		c.nodeQueue.Add(nodeChange{Node: node.Name, Label: key})
	}
}

// changedLabels are the keys whose values differ.
func changedLabels(old, now map[string]string) []string {
	var changed []string
	for k, v := range old {
		if w, found := now[k]; !found || v != w {
			changed = append(changed, k)
		}
	}
	for k := range now {
		if _, found := old[k]; !found {
			changed = append(changed, k)
		}
	}
	return changed
}

// nodeDeleted has those looked at that wanted a pod there: one that was never
// bound is theirs to delete, and their counts have changed.
func (c *daemonSets) nodeDeleted(node *corev1.Node) {
	for _, ds := range c.sets.FittingNode(node.Labels) {
		if newRules(ds, c.comparison).judge(node).Run {
			c.enqueue(ds)
		}
	}
}

// syncNode queues the DaemonSets that must do something about a node. One whose
// pod may stay on a node that is no longer eligible has nothing to do: its counts
// follow with its next sync.
func (c *daemonSets) syncNode(_ context.Context, change nodeChange) error {
	node, found := c.nodes.Get("", change.Node)
	if !found {
		return nil
	}
	here := c.ownersOn(node.Name)
	for _, ds := range c.concerned(node, change.Label, here) {
		if concerns(newRules(ds, c.comparison).judge(node), here[name(ds)], ds.Status.NumberMisscheduled) {
			c.enqueue(ds)
		}
	}
	return nil
}

func name(ds *appsv1.DaemonSet) types.NamespacedName {
	return types.NamespacedName{Namespace: ds.Namespace, Name: ds.Name}
}

// ownersOn are the DaemonSets, by name, of the pods on a node.
func (c *daemonSets) ownersOn(node string) map[types.NamespacedName]bool {
	owners := map[types.NamespacedName]bool{}
	for _, pod := range c.pods.OnNode(node) {
		if ref := metav1.GetControllerOfNoCopy(pod); ref != nil && ref.Kind == kind {
			owners[types.NamespacedName{Namespace: pod.Namespace, Name: ref.Name}] = true
		}
	}
	return owners
}

// concerned are the DaemonSets that a change may concern, some of them twice.
func (c *daemonSets) concerned(node *corev1.Node, label string, here map[types.NamespacedName]bool) []*appsv1.DaemonSet {
	if label != "" {
		return c.sets.DependingOnNodeLabel(label)
	}
	sets := c.sets.FittingNode(node.Labels)
	for owner := range here {
		if ds, found := c.sets.Get(owner.Namespace, owner.Name); found {
			sets = append(sets, ds)
		}
	}
	return sets
}
