// SPDX-License-Identifier: Apache-2.0

// Package endpoints keeps one Endpoints object for each Service that has a
// selector, with the addresses of the pods behind it. It is the older form of
// what EndpointSlices say, and some programs still read it.
package endpoints

import (
	"context"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podservices"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// managedBy is the value of the label on what this controller writes, and the
// source of its events.
const managedBy = "endpoint-controller"

// maxRetries bounds the retries of one Service, which take some minutes.
const maxRetries = 15

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "endpoints-controller",
		Alias:          "endpoint",
		ServiceAccount: "endpoint-controller",
		Component:      managedBy,
	}, New)
}

type endpoints struct {
	*controller.Loop

	client      kubernetes.Interface
	recorder    record.EventRecorder
	batchPeriod time.Duration
	triggers    *util.TriggerTimeTracker
	written     *writes.Store

	queue    *controller.Queue[cache.ObjectName] // of Services, which their Endpoints are named as
	podQueue *controller.Queue[*util.PodProjectionKey]

	services  *informer.Cache[*corev1.Service]
	pods      *informer.Cache[*corev1.Pod]
	endpoints *informer.Cache[*corev1.Endpoints]

	// begun tells that a Service was synced.
	begun atomic.Bool
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.EndpointsController) (controller.Controller, error) {
	c := &endpoints{
		Loop:        controller.NewLoop(env),
		client:      env.API.Typed,
		recorder:    env.Recorder,
		batchPeriod: section.UpdatesBatchPeriod.Duration,
		triggers:    util.NewTriggerTimeTracker(),
	}
	c.written = writes.NewStore(writes.Caches{
		resource: func() string { return c.endpoints.ResourceVersion() },
	})
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{
		Name: "endpoint", MaxRetries: maxRetries, Sync: c.sync,
	})
	// It has no name because, as upstream, it has no metrics.
	c.podQueue = controller.NewQueue(c.Loop, controller.QueueOptions[*util.PodProjectionKey]{
		MaxRetries: maxRetries, Sync: c.syncPod,
	})
	c.declareWatches()
	c.Go(c.collectLeftovers)
	return c, nil
}

func (c *endpoints) declareWatches() {
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
	c.endpoints = controller.Watch(c.Loop, informer.Endpoints(), controller.Handler[*corev1.Endpoints]{
		Delete: func(e *corev1.Endpoints) { c.queue.Add(cache.MetaObjectToName(e)) },
	})
}

func (c *endpoints) serviceChanged(s *corev1.Service) { c.queue.Add(cache.MetaObjectToName(s)) }

// podChanged queues what a pod's change may concern; nil concerns nobody.
//
// Until the first sync has begun there is nothing to queue: every Service is
// queued already, and its sync will read a cache that has the pod's change.
func (c *endpoints) podChanged(key *util.PodProjectionKey) {
	if key != nil && c.begun.Load() {
		c.podQueue.Add(key)
	}
}

// syncPod queues the Services that a change of a pod affects.
func (c *endpoints) syncPod(_ context.Context, key *util.PodProjectionKey) error {
	for service := range podservices.Affected(*c.services, key) {
		c.queue.AddAfter(service, c.batchPeriod)
	}
	return nil
}

// collectLeftovers queues, once at the start, the Endpoints of Services that were
// deleted while nobody watched. No owner reference makes anybody else remove
// them. What an election once kept its record in is somebody's lock.
func (c *endpoints) collectLeftovers(context.Context) {
	for _, e := range c.endpoints.List() {
		if _, lock := e.Annotations[resourcelock.LeaderElectionRecordAnnotationKey]; lock {
			continue
		}
		if _, found := c.services.Get(e.Namespace, e.Name); !found {
			c.queue.Add(cache.MetaObjectToName(e))
		}
	}
}
