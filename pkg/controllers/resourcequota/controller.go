// SPDX-License-Identifier: Apache-2.0

// Package resourcequota keeps the usage in the status of ResourceQuotas. The API
// server charges what is created; here is found out what is used no more, and
// whatever went wrong is put right by counting everything from time to time.
//
// One task follows the API and keeps a cache of every resource whose objects a
// quota can count, most of them of metadata only. What can be measured now is an
// inventory, which that task replaces and workers read. A resource whose objects
// are not known yet holds up only the names that depend on it.
package resourcequota

import (
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor { return describe(usual()) }

func describe(t timing) controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "resourcequota-controller",
		Alias:          "resourcequota",
		ServiceAccount: "resourcequota-controller",
		Gates:          []feature.Gate{feature.PodLevelResources, feature.PodLevelResourcesFixKubeletQOSClass},
	}, func(env controller.Env, section *v1beta1.ResourceQuotaController) (controller.Controller, error) {
		return newQuotas(env, section, t)
	})
}

// quotaResource is what this controller writes the status of.
var quotaResource = corev1.Resource("resourcequotas")

// key names a ResourceQuota.
type key = types.NamespacedName

type quotas struct {
	*controller.Loop
	timing

	client    kubernetes.Interface
	discovery discovery.DiscoveryInterfaceWithContext
	logger    klog.Logger
	clock     clock.WithTicker
	rules     quota.PodRules
	memory    *quota.PodMemory

	quotas  *informer.Cache[*corev1.ResourceQuota]
	written *writes.Store
	spacer  *pacing.Spacer[key]
	charges *charges
	// primary has quotas to count again, priority those that lack a number: the API
	// server admits nothing that they limit until it is there.
	primary, priority *controller.Queue[key]
	changes           *controller.Queue[change]
	// gate is the worker count of primary and priority: 0 until it is known what can
	// be measured, then the configured one.
	gate, workers *controller.Workers

	inventory atomic.Pointer[inventory]
	// monitors and served belong to the task that follows the API.
	monitors *monitors.Set
	served   *monitors.Served
}

func newQuotas(env controller.Env, section *v1beta1.ResourceQuotaController, t timing) (controller.Controller, error) {
	c := &quotas{
		Loop:      controller.NewLoop(env),
		timing:    t,
		client:    env.API.Typed,
		discovery: discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery),
		logger:    env.Logger,
		clock:     env.Clock,
		rules: quota.PodRules{
			PodLevel:    env.Gates.Enabled(feature.PodLevelResources),
			PodLevelQoS: env.Gates.Enabled(feature.PodLevelResourcesFixKubeletQOSClass),
		},
		memory:  quota.NewPodMemory(),
		spacer:  pacing.NewSpacer[key](env.Clock, spacing),
		charges: newCharges(env.Clock),
		gate:    controller.NewWorkers(0),
		workers: env.Workers,
	}
	c.inventory.Store(&inventory{})
	c.primary = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "resourcequota_primary", Workers: c.gate, Sync: c.sync})
	c.priority = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "resourcequota_priority", Workers: c.gate, Sync: c.sync})
	c.changes = controller.NewQueue(c.Loop, controller.QueueOptions[change]{
		Name: "resource_quota_controller_resource_changes", Workers: controller.NewWorkers(1), Sync: c.replenish,
	})
	c.quotas = controller.Watch(c.Loop, informer.ResourceQuotas(), controller.Handler[*corev1.ResourceQuota]{
		Add: c.added, Update: c.updated, Delete: func(q *corev1.ResourceQuota) { c.primary.Add(keyOf(q)) },
	})
	c.written = writes.NewStore(writes.Caches{quotaResource: func() string { return c.quotas.ResourceVersion() }})
	c.monitors = monitors.NewSet(monitors.Options{
		Loop: c.Loop, Clock: env.Clock, Logger: env.Logger, Patience: t.patience, Wanted: countable, Handler: c.handler,
	})
	c.Go(c.watch)
	c.Repeat(section.SyncPeriod.Duration, c.countAll)
	return c, nil
}

func keyOf(q *corev1.ResourceQuota) key { return key{Namespace: q.Namespace, Name: q.Name} }

// enqueue has a quota counted.
func (c *quotas) enqueue(q *corev1.ResourceQuota) {
	if urgent(q, c.inventory.Load().measures) {
		c.priority.Add(keyOf(q))
		return
	}
	c.primary.Add(keyOf(q))
}

func (c *quotas) added(q *corev1.ResourceQuota) {
	c.charges.see(keyOf(q), q.ResourceVersion)
	c.enqueue(q)
}

// updated has a quota counted that limits something else now. Its status, which
// the API server writes whenever something is created, is no reason.
func (c *quotas) updated(old, q *corev1.ResourceQuota) {
	c.charges.see(keyOf(q), q.ResourceVersion)
	if old.UID != q.UID || !quota.Equal(old.Spec.Hard, q.Spec.Hard) {
		c.enqueue(q)
	}
}

// countAll has all quotas counted.
func (c *quotas) countAll(context.Context) {
	for _, q := range c.quotas.List() {
		c.primary.Add(keyOf(q))
	}
}
