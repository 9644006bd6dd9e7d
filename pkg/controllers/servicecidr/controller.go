// SPDX-License-Identifier: Apache-2.0

// Package servicecidr tells which ServiceCIDRs are ready for the allocation of
// Service addresses, and holds back the deletion of one as long as addresses in
// use would then be in none.
package servicecidr

import (
	"net/netip"
	"sync/atomic"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

const (
	// workers is not configurable, as upstream.
	workers = 5
	// maxRetries bounds the retries of one ServiceCIDR, which take some minutes.
	maxRetries = 15
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "service-cidr-controller",
		ServiceAccount: "service-cidrs-controller",
		Required:       []feature.Gate{feature.MultiCIDRServiceAllocator},
	}, New)
}

type serviceCIDRs struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	clock    clock.PassiveClock
	written  *writes.Store

	queue     *controller.Queue[string] // of names
	cidrs     *informer.Cache[*networkingv1.ServiceCIDR]
	addresses *informer.Cache[*networkingv1.IPAddress]

	// begun tells that a ServiceCIDR was synced.
	begun atomic.Bool
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.ServiceCIDRController) (controller.Controller, error) {
	c := &serviceCIDRs{Loop: controller.NewLoop(env), client: env.API.Typed, recorder: env.Recorder, clock: env.Clock}
	c.written = writes.NewStore(writes.Caches{resource: func() string { return c.cidrs.ResourceVersion() }})
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name:       "ipaddresses",
		Workers:    controller.NewWorkers(workers),
		MaxRetries: maxRetries,
		Sync:       c.sync,
	})
	c.cidrs = controller.Watch(c.Loop, informer.ServiceCIDRs(), controller.Handler[*networkingv1.ServiceCIDR]{
		Add:    c.added,
		Update: func(_, o *networkingv1.ServiceCIDR) { c.queue.Add(o.Name) },
		Delete: func(o *networkingv1.ServiceCIDR) { c.queue.Add(o.Name) },
	})
	c.addresses = controller.Watch(c.Loop, informer.IPAddresses(), controller.Handler[*networkingv1.IPAddress]{
		Add:    c.addressChanged,
		Delete: c.addressChanged,
	})
	return c, nil
}

// added queues a ServiceCIDR and, since it may take over addresses of others that
// wait for that, those it overlaps.
func (c *serviceCIDRs) added(o *networkingv1.ServiceCIDR) {
	c.queue.Add(o.Name)
	if !c.begun.Load() {
		return // all are queued already
	}
	for _, p := range informer.PrefixesOf(o) {
		for _, other := range append(c.cidrs.Around(p), c.cidrs.Inside(p)...) {
			c.queue.Add(other.Name)
		}
	}
}

// addressChanged queues the ServiceCIDRs that an address keeps, or kept, from
// being deleted.
func (c *serviceCIDRs) addressChanged(o *networkingv1.IPAddress) {
	if !c.begun.Load() || !isAllocated(o) {
		return
	}
	addr, err := netip.ParseAddr(o.Name)
	if err != nil {
		return
	}
	for _, holder := range holders(*c.cidrs, addr) {
		c.queue.Add(holder.Name)
	}
}
