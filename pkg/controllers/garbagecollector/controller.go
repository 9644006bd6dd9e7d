// SPDX-License-Identifier: Apache-2.0

// Package garbagecollector deletes objects whose owners are all gone, and carries
// out the finalizers foregroundDeletion and orphan, for every resource that can be
// deleted, listed and watched.
//
// Monitors turn what the caches see into changes. One worker applies the changes,
// in their order, to the graph of owners and dependents; the graph answers with
// what should be looked at. Workers look at it. They read its owners live, and the
// object too unless it is to be deleted, which the server does only to the version
// that the cache has; so the graph says where to look and never alone decides that
// something is deleted.
package garbagecollector

import (
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor { return describe(usual()) }

func describe(t timing) controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "garbage-collector-controller",
		Alias:          "garbagecollector",
		ServiceAccount: "generic-garbage-collector",
		Scale:          client.Scale{QPS: 2, Burst: 1},
	}, func(env controller.Env, section *v1beta1.GarbageCollectorController) (controller.Controller, error) {
		return newCollector(env, section, t)
	})
}

type collector struct {
	*controller.Loop
	timing

	metadata  metadata.Interface
	discovery discovery.DiscoveryInterfaceWithContext
	recorder  record.EventRecorder
	logger    klog.Logger
	ignored   map[schema.GroupResource]bool

	graph   *graph
	changes *controller.Queue[change]
	checks  *controller.Queue[types.UID] // may have to be deleted
	orphans *controller.Queue[types.UID] // lets go of its dependents
	// pace spaces the retries of checks, those that are no failures included.
	pace workqueue.TypedRateLimiter[types.UID]
	// gate is the worker count of checks and orphans: 0 until the graph is
	// complete, then the configured one.
	gate, workers *controller.Workers

	// mapper is made from the last answer of discovery.
	mapper atomic.Pointer[meta.RESTMapper]
	// monitors belong to the task that watches the API.
	monitors *monitors.Set
	// stores are what they know, by kind.
	stores   atomic.Pointer[map[schema.GroupVersionKind]cache.Store]
	failures *metrics.Counter
}

// newCollector wires a run of the controller.
func newCollector(env controller.Env, section *v1beta1.GarbageCollectorController, t timing) (controller.Controller, error) {
	if !section.EnableGarbageCollector {
		return nil, controller.Decline("enableGarbageCollector is false")
	}
	c := &collector{
		Loop:      controller.NewLoop(env),
		timing:    t,
		metadata:  env.API.Metadata,
		discovery: discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery),
		recorder:  env.Recorder,
		logger:    env.Logger,
		ignored:   map[schema.GroupResource]bool{},
		graph:     newGraph(),
		pace:      workqueue.DefaultTypedControllerRateLimiter[types.UID](),
		gate:      controller.NewWorkers(0),
		workers:   env.Workers,
		failures:  newFailures(env.Metrics),
	}
	for _, r := range section.IgnoredResources {
		c.ignored[schema.GroupResource{Group: r.Group, Resource: r.Resource}] = true
	}
	c.changes = controller.NewQueue(c.Loop, controller.QueueOptions[change]{
		// The order of changes matters, so there must be one worker only.
		Name: "garbage_collector_graph_changes", Workers: controller.NewWorkers(1), Sync: c.apply,
	})
	c.checks = controller.NewQueue(c.Loop, controller.QueueOptions[types.UID]{
		Name: "garbage_collector_attempt_to_delete", Workers: c.gate, Limiter: c.pace, Sync: c.check,
	})
	c.orphans = controller.NewQueue(c.Loop, controller.QueueOptions[types.UID]{
		Name: "garbage_collector_attempt_to_orphan", Workers: c.gate, Sync: c.orphan,
	})
	c.monitors = monitors.NewSet(monitors.Options{
		Loop: c.Loop, Clock: env.Clock, Logger: env.Logger, Patience: t.patience, Wanted: c.collectable, Left: c.left,
		Handler: func(_ schema.GroupVersionResource, r monitors.Resource) controller.Handler[metav1.Object] {
			return c.handler(r.Kind)
		},
	})
	c.Go(c.watch)
	return c, nil
}

// apply is the sync of the queue of changes.
func (c *collector) apply(_ context.Context, ch change) error {
	e := c.graph.apply(ch)
	for _, m := range e.misplaced {
		c.report(m)
	}
	for _, uid := range e.check {
		c.checks.Add(uid)
	}
	for _, uid := range e.recheck {
		c.checks.AddRateLimited(uid)
	}
	for _, uid := range e.orphan {
		c.orphans.Add(uid)
	}
	return nil
}

// report tells users of an owner reference into another namespace.
func (c *collector) report(m misplaced) {
	child := &corev1.ObjectReference{
		APIVersion: m.child.apiVersion, Kind: m.child.kind,
		Namespace: m.child.namespace, Name: m.child.name, UID: m.child.uid,
	}
	owner := identityOf(m.owner, m.child.namespace)
	c.recorder.Eventf(child, corev1.EventTypeWarning, "OwnerRefInvalidNamespace",
		"ownerRef %s does not exist in namespace %q", owner, m.child.namespace)
}
