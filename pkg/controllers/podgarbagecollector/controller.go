// SPDX-License-Identifier: Apache-2.0

// Package podgarbagecollector deletes pods, without a grace period, that nobody
// else would: ended ones when there are too many of them, ones that are being
// deleted on a Node that is out of service or before they ever got one, and all
// pods of a Node that is gone.
//
// Their number decides what a look at them costs: pods that run on a living Node
// are not looked at.
package podgarbagecollector

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

const (
	// interval is between the end of a pass and the next.
	interval = 20 * time.Second
	// quarantine is how long a Node must be unknown before its pods are given up.
	quarantine = 40 * time.Second
	// parallel is how many pods are deleted at the same time.
	parallel = 16
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "pod-garbage-collector-controller",
		Alias:          "podgc",
		ServiceAccount: "pod-garbage-collector",
	}, New)
}

type collector struct {
	*controller.Loop

	client    kubernetes.Interface
	clock     clock.PassiveClock
	logger    klog.Logger
	metrics   *runMetrics
	threshold int

	lost  *controller.Queue[string] // names of Nodes that pods name and nobody knows
	pods  *informer.Cache[*corev1.Pod]
	nodes *informer.Cache[*corev1.Node]
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.PodGarbageCollectorController) (controller.Controller, error) {
	c := &collector{
		Loop:      controller.NewLoop(env),
		client:    env.API.Typed,
		clock:     env.Clock,
		logger:    env.Logger,
		metrics:   newMetrics(env.Metrics),
		threshold: int(section.TerminatedPodThreshold),
	}
	c.lost = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "orphaned_pods_nodes", Workers: controller.NewWorkers(1), Sync: c.collectNode,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{})
	c.nodes = controller.Watch(c.Loop, informer.Nodes(), controller.Handler[*corev1.Node]{})
	c.Every(interval, c.pass)
	return c, nil
}

// pass deletes what is to be deleted at once, and starts the quarantine of Nodes
// that are unknown; for one that is in it already this changes nothing.
func (c *collector) pass(ctx context.Context) {
	c.endAll(ctx, surplus(c.pods.Ended(), c.threshold), reasonTerminated)
	c.endAll(ctx, outOfService(c.pods.Deleting(), c.node), reasonOutOfService)
	for _, name := range c.pods.NodeNames() {
		if c.node(name) == nil {
			c.lost.AddAfter(name, quarantine)
		}
	}
	c.endAll(ctx, unscheduled(c.pods.Deleting()), reasonUnscheduled)
}

// node is nil when the cache does not know it.
func (c *collector) node(name string) *corev1.Node {
	n, _ := c.nodes.Get("", name)
	return n
}

// endAll deletes pods in that order, several at a time.
func (c *collector) endAll(ctx context.Context, pods []*corev1.Pod, reason string) {
	if len(pods) == 0 {
		return
	}
	c.logger.Info("Deleting pods", "reason", reason, "count", len(pods))
	for batch := range slices.Chunk(pods, parallel) {
		podcontrol.Together(len(batch), func(i int) error {
			c.end(ctx, batch[i], reason, nil)
			return nil
		})
	}
}
