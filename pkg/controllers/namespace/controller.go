// SPDX-License-Identifier: Apache-2.0

// Package namespace empties namespaces that are being deleted, pods before
// everything else, and lets them go when nothing is left in them.
package namespace

import (
	"context"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// seenDelay is the time between a namespace's deletion and the first look into
// it. An API server that has not heard of the deletion still admits objects.
const seenDelay = 5 * time.Second

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "namespace-controller",
		Alias:          "namespace",
		ServiceAccount: "namespace-controller",
		// Each namespace costs a request for each kind of object.
		Scale: client.Scale{QPS: 20, Burst: 100},
	}, New)
}

type namespaces struct {
	*controller.Loop

	client     kubernetes.Interface
	metadata   metadata.Interface
	clock      clock.WithTicker
	logger     klog.Logger
	survey     *survey
	queue      *controller.Queue[string] // of namespace names
	namespaces *informer.Cache[*corev1.Namespace]
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.NamespaceController) (controller.Controller, error) {
	c := &namespaces{
		Loop:     controller.NewLoop(env),
		client:   env.API.Typed,
		metadata: env.API.Metadata,
		clock:    env.Clock,
		logger:   env.Logger,
		survey:   newSurvey(discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery)),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "namespace", Limiter: limiter(), Sync: c.sync,
	})
	c.namespaces = controller.Watch(c.Loop, informer.Namespaces(), controller.Handler[*corev1.Namespace]{
		Add:    c.resume,
		Update: func(_, ns *corev1.Namespace) { c.enqueue(ns) },
	})
	c.Repeat(section.SyncPeriod.Duration, c.lookAgain)
	return c, nil
}

// limiter spaces retries. A namespace that fails again and again is looked at
// every minute: its end may depend on what no watch tells.
func limiter() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedMaxOfRateLimiter(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](5*time.Millisecond, time.Minute),
		&workqueue.TypedBucketRateLimiter[string]{Limiter: rate.NewLimiter(10, 100)},
	)
}

func (c *namespaces) enqueue(ns *corev1.Namespace) {
	if ns.DeletionTimestamp != nil {
		c.queue.AddAfter(ns.Name, seenDelay)
	}
}

// resume takes up a namespace that was deleted before this run began, or while the
// watch was down. It has waited since then: a run that starts again and again would
// never get to it otherwise.
func (c *namespaces) resume(ns *corev1.Namespace) {
	if ns.DeletionTimestamp != nil {
		c.queue.AddAfter(ns.Name, waits(c.clock.Since(ns.DeletionTimestamp.Time)))
	}
}

// lookAgain looks at every terminating namespace again. The informer's own resync
// cannot do this: its period is the same for all who share it, and far longer.
func (c *namespaces) lookAgain(context.Context) {
	for _, ns := range c.namespaces.List() {
		c.enqueue(ns)
	}
}
