// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

func (c *deployments) enqueue(d *appsv1.Deployment) { c.queue.Add(keyOf(d)) }

func (c *deployments) replicaSetAdded(rs *appsv1.ReplicaSet) {
	if rs.DeletionTimestamp != nil {
		c.replicaSetDeleted(rs)
		return
	}
	if ref := metav1.GetControllerOfNoCopy(rs); ref != nil {
		c.enqueueOwner(rs.Namespace, ref)
		return
	}
	c.enqueueMatching(rs)
}

func (c *deployments) replicaSetUpdated(old, rs *appsv1.ReplicaSet) {
	if old.ResourceVersion == rs.ResourceVersion {
		return // a resync; the Deployments have their own
	}
	before, now := metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(rs)
	moved := !apiequality.Semantic.DeepEqual(before, now)
	if moved {
		c.enqueueOwner(rs.Namespace, before)
	}
	if now != nil {
		c.enqueueOwner(rs.Namespace, now)
		return
	}
	if moved || !maps.Equal(old.Labels, rs.Labels) {
		c.enqueueMatching(rs)
	}
}

func (c *deployments) replicaSetDeleted(rs *appsv1.ReplicaSet) {
	c.enqueueOwner(rs.Namespace, metav1.GetControllerOfNoCopy(rs))
}

// podDeleted matters to the strategy Recreate alone: it waits for the last pod
// of the old version.
func (c *deployments) podDeleted(p *corev1.Pod) {
	rs, found := ownerref.Resolve(c.replicaSets.Get, p.Namespace, metav1.GetControllerOfNoCopy(p), "ReplicaSet")
	if !found {
		return
	}
	d, found := c.owner(rs.Namespace, metav1.GetControllerOfNoCopy(rs))
	if found && d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		c.enqueue(d)
	}
}

func (c *deployments) owner(namespace string, ref *metav1.OwnerReference) (*appsv1.Deployment, bool) {
	return ownerref.Resolve(c.deployments.Get, namespace, ref, kind)
}

func (c *deployments) enqueueOwner(namespace string, ref *metav1.OwnerReference) {
	if d, found := c.owner(namespace, ref); found {
		c.enqueue(d)
	}
}

// enqueueMatching queues the Deployments that may adopt an orphan.
func (c *deployments) enqueueMatching(rs *appsv1.ReplicaSet) {
	for _, d := range c.deployments.Selecting(rs.Namespace, rs.Labels) {
		selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(rs.Labels)) {
			c.enqueue(d)
		}
	}
}
