// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podservices"
)

// sync brings the slices of a Service in line with its pods.
func (c *endpointSlices) sync(ctx context.Context, key cache.ObjectName) error {
	c.begin.Do(func() {
		c.begun.Store(true)
		// Without the shares of the zones, Services would lose their hints now
		// and get them back later, at every start.
		c.measureZones()
	})
	err := c.reconcile(ctx, key)
	if c.stopping(ctx, err) {
		return client.ErrStopping
	}
	countSync(err)
	return err
}

// stopping is controller.IsStopping for errors of the library, which keeps the
// text of some errors and not the errors.
func (c *endpointSlices) stopping(ctx context.Context, err error) bool {
	return controller.IsStopping(ctx, err) || err != nil && c.writer.refused.Load()
}

func (c *endpointSlices) reconcile(ctx context.Context, key cache.ObjectName) error {
	service, found := c.services.Get(key.Namespace, key.Name)
	if !found {
		c.forget(key)
		return nil
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName || service.Spec.Selector == nil {
		// Slices that are there, perhaps somebody's own, stay as they are.
		return nil
	}
	pods := c.pods.Matching(key.Namespace, labels.Set(service.Spec.Selector).AsSelectorPreValidated())
	existing := c.managed.Usable(c.slices.OfService(key.Namespace, key.Name))
	if c.managed.Tracker.StaleSlices(service, existing) {
		return managedslices.ErrStale
	}
	// Asked for even when nothing will be written: it remembers the pods' times.
	changed := c.triggers.ComputeEndpointLastChangeTriggerTime(key.Namespace, service, pods)
	err := c.reconciler.Reconcile(c.env.Logger, service, pods, existing, changed)
	if err != nil && !c.stopping(ctx, err) {
		c.env.Recorder.Eventf(service, corev1.EventTypeWarning, "FailedToUpdateEndpointSlices",
			"Error updating Endpoint Slices for Service %s/%s: %v", key.Namespace, key.Name, err)
	}
	return err
}

// forget drops what is remembered of a Service that is gone. Its slices go with
// it, by their owner references.
func (c *endpointSlices) forget(key cache.ObjectName) {
	c.triggers.DeleteService(key.Namespace, key.Name)
	c.reconciler.DeleteService(key.Namespace, key.Name)
	c.managed.Tracker.DeleteService(key.Namespace, key.Name)
	// A later Service of the same name has not had hints before.
	for _, family := range []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6} {
		c.topology.RemoveHints(key.String(), family)
	}
}

// syncPod queues the Services that a change of a pod affects.
func (c *endpointSlices) syncPod(_ context.Context, key *util.PodProjectionKey) error {
	for service := range podservices.Affected(*c.services, key) {
		c.queue.AddAfter(service, c.batchPeriod)
	}
	return nil
}

// syncZones takes up a change of the nodes, and queues the Services whose hints
// now send too much traffic to one zone.
func (c *endpointSlices) syncZones(context.Context, topologyKey) error {
	c.measureZones()
	for _, service := range c.topology.GetOverloadedServices() {
		key, err := cache.ParseObjectName(service)
		if err != nil {
			return err
		}
		c.queue.Add(key)
	}
	return nil
}

// measureZones computes, from all nodes, each zone's share of the CPUs.
func (c *endpointSlices) measureZones() {
	c.capacity.Lock()
	defer c.capacity.Unlock()
	c.topology.SetNodes(c.env.Logger, c.nodes.List())
}
