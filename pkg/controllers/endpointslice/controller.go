// SPDX-License-Identifier: Apache-2.0

// Package endpointslice keeps the EndpointSlices of every Service that has a
// selector: one set of slices per address family and per distinct list of
// ports, packed so that a change writes as few of them as possible, with hints
// for routing near the client where the Service asks for them.
//
// What a Service's slices should be, and the writes that make them so, are the
// business of k8s.io/endpointslice, which other controllers outside this
// repository use too. This package decides when a Service must be looked at,
// and gives the library a life that ends: see the writer and the metrics.
package endpointslice

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/endpointslice"
	"k8s.io/endpointslice/topologycache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
)

// managedBy is the value of the label by which the controller knows its slices.
const managedBy = "endpointslice-controller.k8s.io"

const (
	// maxRetries bounds the retries of one Service: the last of them comes some
	// hours after the first.
	maxRetries = 15
	// firstRetry and lastRetry bound the pause before a retry of a Service. They
	// are long, because most failures are a cache that has to catch up first.
	firstRetry = time.Second
	lastRetry  = 1000 * time.Second
	// minSliceDelay is the least time between a change of a slice by somebody
	// else and the sync that answers it. It keeps two writers that disagree
	// from outbidding each other at full speed.
	minSliceDelay = time.Second
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "endpointslice-controller",
		Alias:          "endpointslice",
		ServiceAccount: "endpointslice-controller",
		Component:      "endpoint-slice-controller",
		Gates:          []feature.Gate{feature.PreferSameTrafficDistribution},
	}, New)
}

// topologyKey is the only key of the queue of node changes: the shares of the
// zones are computed from all nodes at once.
type topologyKey struct{}

type endpointSlices struct {
	*controller.Loop

	env         controller.Env
	batchPeriod time.Duration
	writer      *writer
	reconciler  *endpointslice.Reconciler
	managed     *managedslices.Manager
	triggers    *util.TriggerTimeTracker
	topology    *topologycache.TopologyCache

	queue    *controller.Queue[cache.ObjectName] // of Services
	podQueue *controller.Queue[*util.PodProjectionKey]
	zones    *controller.Queue[topologyKey]

	services *informer.Cache[*corev1.Service]
	pods     *informer.Cache[*corev1.Pod]
	slices   *informer.Cache[*discoveryv1.EndpointSlice]
	nodes    *informer.Cache[*corev1.Node]

	// begin is done before the first sync of a Service; begun tells that it was.
	begin sync.Once
	begun atomic.Bool
	// capacity is held while the topology cache is given the nodes, so that an
	// older list cannot replace a newer one.
	capacity sync.Mutex
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.EndpointSliceController) (controller.Controller, error) {
	c := &endpointSlices{
		Loop:        controller.NewLoop(env),
		env:         env,
		batchPeriod: section.UpdatesBatchPeriod.Duration,
		triggers:    util.NewTriggerTimeTracker(),
		topology:    topologycache.NewTopologyCache(),
	}
	c.managed = &managedslices.Manager{
		Name: managedBy, Tracker: util.NewEndpointSliceTracker(), Changed: c.sliceChanged, Logger: env.Logger,
	}
	registerMetrics(env.Metrics)
	c.writer = &writer{Interface: env.API.Typed, work: c.Work}
	c.declareQueues()
	c.declareWatches()
	c.reconciler = endpointslice.NewReconciler(c.writer, nodeLister{c.nodes}, section.MaxEndpointsPerSlice,
		c.managed.Tracker, c.topology, env.Recorder, managedBy,
		endpointslice.WithPreferSameTrafficDistributionEnabled(env.Gates.Enabled(feature.PreferSameTrafficDistribution)))
	return c, nil
}

func (c *endpointSlices) declareQueues() {
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{
		Name: "endpoint_slice",
		Limiter: workqueue.NewTypedMaxOfRateLimiter(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](firstRetry, lastRetry),
			&workqueue.TypedBucketRateLimiter[cache.ObjectName]{Limiter: rate.NewLimiter(10, 100)},
		),
		MaxRetries: maxRetries,
		Sync:       c.sync,
	})
	// These two have no name because, as upstream, they have no metrics.
	c.podQueue = controller.NewQueue(c.Loop, controller.QueueOptions[*util.PodProjectionKey]{
		MaxRetries: maxRetries,
		Sync:       c.syncPod,
	})
	c.zones = controller.NewQueue(c.Loop, controller.QueueOptions[topologyKey]{
		Workers: controller.NewWorkers(1),
		Sync:    c.syncZones,
	})
}

func (c *endpointSlices) declareWatches() {
	c.services = controller.Watch(c.Loop, informer.Services(), controller.Handler[*corev1.Service]{
		Add:    c.serviceChanged,
		Update: func(_, s *corev1.Service) { c.serviceChanged(s) },
		Delete: c.serviceChanged,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    func(p *corev1.Pod) { c.podChanged(util.GetPodUpdateProjectionKey(nil, p)) },
		Update: func(old, p *corev1.Pod) { c.podChanged(util.GetPodUpdateProjectionKey(old, p)) },
		Delete: func(p *corev1.Pod) { c.podChanged(util.GetPodUpdateProjectionKey(p, nil)) },
	})
	c.slices = controller.Watch(c.Loop, informer.EndpointSlices(), c.managed.Handler())
	c.nodes = controller.Watch(c.Loop, informer.Nodes(), controller.Handler[*corev1.Node]{
		Add: func(*corev1.Node) { c.zones.Add(topologyKey{}) },
		Update: func(old, n *corev1.Node) {
			if capacityChanged(old, n) {
				c.zones.Add(topologyKey{})
			}
		},
		Delete: func(*corev1.Node) { c.zones.Add(topologyKey{}) },
	})
}

// Run is part of controller.Controller.
func (c *endpointSlices) Run(ctx context.Context) error {
	defer resetMetrics()
	return c.Loop.Run(ctx)
}
