// SPDX-License-Identifier: Apache-2.0

// Package endpointslicemirroring copies Endpoints that people keep themselves, for
// Services without a selector, into EndpointSlices: what routes traffic reads
// nothing else.
package endpointslicemirroring

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/endpointslice/util"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
)

// managedBy is the value of the label by which the controller knows its slices.
const managedBy = "endpointslicemirroring-controller.k8s.io"

const (
	// maxRetries bounds the retries of one Endpoints object.
	maxRetries = 15
	// firstRetry and lastRetry bound the pause before a retry. They are long,
	// because most failures are a cache that has to catch up first.
	firstRetry = time.Second
	lastRetry  = 100 * time.Second
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "endpointslice-mirroring-controller",
		Alias:          "endpointslicemirroring",
		ServiceAccount: "endpointslicemirroring-controller",
		Component:      "endpoint-slice-mirroring-controller",
	}, New)
}

type mirroring struct {
	*controller.Loop

	client       kubernetes.Interface
	recorder     record.EventRecorder
	clock        clock.PassiveClock
	metrics      *runMetrics
	maxPerSubset int
	batchPeriod  time.Duration
	managed      *managedslices.Manager

	queue     *controller.Queue[cache.ObjectName] // of Endpoints, which are named as their Services
	endpoints *informer.Cache[*corev1.Endpoints]
	services  *informer.Cache[*corev1.Service]
	slices    *informer.Cache[*discoveryv1.EndpointSlice]

	// begun tells that something was synced.
	begun atomic.Bool
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.EndpointSliceMirroringController) (controller.Controller, error) {
	c := &mirroring{
		Loop:         controller.NewLoop(env),
		client:       env.API.Typed,
		recorder:     env.Recorder,
		clock:        env.Clock,
		metrics:      newMetrics(env.Metrics),
		maxPerSubset: int(section.MaxEndpointsPerSubset),
		batchPeriod:  section.UpdatesBatchPeriod.Duration,
	}
	c.managed = &managedslices.Manager{
		Name: managedBy, Tracker: util.NewEndpointSliceTracker(), Changed: c.sliceChanged, Logger: env.Logger,
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{
		Name: "endpoint_slice_mirroring",
		Limiter: workqueue.NewTypedMaxOfRateLimiter(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](firstRetry, lastRetry),
			&workqueue.TypedBucketRateLimiter[cache.ObjectName]{Limiter: rate.NewLimiter(10, 100)},
		),
		MaxRetries: maxRetries,
		Sync:       c.sync,
	})
	c.declareWatches()
	return c, nil
}

func (c *mirroring) declareWatches() {
	c.endpoints = controller.Watch(c.Loop, informer.Endpoints(), controller.Handler[*corev1.Endpoints]{
		Add:    func(e *corev1.Endpoints) { c.endpointsChanged(e, e) },
		Update: c.endpointsChanged,
		Delete: func(e *corev1.Endpoints) { c.endpointsChanged(e, e) },
	})
	c.services = controller.Watch(c.Loop, informer.Services(), controller.Handler[*corev1.Service]{
		Add: c.serviceWithoutSelector,
		Update: func(old, s *corev1.Service) {
			if (old.Spec.Selector == nil) != (s.Spec.Selector == nil) {
				c.queue.Add(cache.MetaObjectToName(s))
			}
		},
		Delete: c.serviceWithoutSelector,
	})
	c.slices = controller.Watch(c.Loop, informer.EndpointSlices(), c.managed.Handler())
}

func (c *mirroring) endpointsChanged(old, e *corev1.Endpoints) {
	if wanted(old) || wanted(e) {
		c.queue.Add(cache.MetaObjectToName(e))
	}
}

// serviceWithoutSelector queues a Service that came or went, if its Endpoints may
// be somebody's own.
func (c *mirroring) serviceWithoutSelector(s *corev1.Service) {
	if s.Spec.Selector == nil {
		c.queue.Add(cache.MetaObjectToName(s))
	}
}

// sliceChanged queues the Endpoints of a slice that somebody else has changed. At
// the start every slice is news, and brings to light the ones that have lost
// their Endpoints meanwhile; that must not cost the others a second sync.
func (c *mirroring) sliceChanged(service cache.ObjectName) {
	if !c.begun.Load() {
		c.queue.Add(service)
		return
	}
	c.queue.AddAfter(service, c.batchPeriod)
}
