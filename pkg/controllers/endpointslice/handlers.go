// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"
	"k8s.io/klog/v2"
)

func (c *endpointSlices) serviceChanged(s *corev1.Service) {
	c.queue.Add(cache.MetaObjectToName(s))
}

// podChanged queues what a pod's change may concern; nil concerns nobody.
//
// Until the first sync has begun there is nothing to queue: every Service is
// queued already, and its sync will read a cache that has the pod's change. So
// the start costs one sync per Service and not one more per pod. The same holds
// for slices.
func (c *endpointSlices) podChanged(key *util.PodProjectionKey) {
	if key != nil && c.begun.Load() {
		c.podQueue.Add(key)
	}
}

// The tracker knows the slices this run has written. An event that only brings
// such a write back needs no sync.

func (c *endpointSlices) sliceAdded(slice *discoveryv1.EndpointSlice) {
	if ours(slice) && c.tracker.ShouldSync(slice) {
		c.queueServiceOf(slice)
	}
}

func (c *endpointSlices) sliceUpdated(old, slice *discoveryv1.EndpointSlice) {
	if hasLeft(old, slice) {
		// The next sync will not find it among the Service's slices. Were it
		// still tracked, the cache would look outdated for ever.
		c.tracker.HandleDeletion(old)
	}
	for _, state := range concernedBy(old, slice, c.tracker.ShouldSync(slice)) {
		c.queueServiceOf(state)
	}
}

func (c *endpointSlices) sliceDeleted(slice *discoveryv1.EndpointSlice) {
	if !ours(slice) || !c.tracker.Has(slice) {
		return
	}
	if expected := c.tracker.HandleDeletion(slice); !expected {
		c.queueServiceOf(slice)
	}
}

// queueServiceOf queues the Service that a state of a slice names.
func (c *endpointSlices) queueServiceOf(slice *discoveryv1.EndpointSlice) {
	service := slice.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		c.env.Logger.Error(nil, "EndpointSlice does not name its Service", "slice", klog.KObj(slice), "label", discoveryv1.LabelServiceName)
		return
	}
	if c.begun.Load() {
		c.queue.AddAfter(cache.NewObjectName(slice.Namespace, service), max(minSliceDelay, c.batchPeriod))
	}
}
