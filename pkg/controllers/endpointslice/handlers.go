// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"
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

// sliceChanged queues the Service of a slice that somebody else has changed.
func (c *endpointSlices) sliceChanged(service cache.ObjectName) {
	if c.begun.Load() {
		c.queue.AddAfter(service, max(minSliceDelay, c.batchPeriod))
	}
}
