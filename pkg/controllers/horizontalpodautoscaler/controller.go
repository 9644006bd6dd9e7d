// SPDX-License-Identifier: Apache-2.0

// Package horizontalpodautoscaler sets the number of replicas of workloads, by
// their scale, to what metrics ask for: of resources that pods or their containers
// use, of pods, of other objects, or of things outside of the cluster.
//
// Every HorizontalPodAutoscaler is looked at once in a period, whether something
// went wrong or not, and at once when its spec changes. What was recommended and
// changed is remembered for one run only. So after a start, no target is made
// smaller before the window of stabilization has passed.
package horizontalpodautoscaler

import (
	"context"
	"errors"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// kindMemory is for how long it is taken as given which kinds there are.
const kindMemory = 30 * time.Second

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "horizontal-pod-autoscaler-controller",
		Alias:          "horizontalpodautoscaling",
		ServiceAccount: "horizontal-pod-autoscaler",
		Component:      "horizontal-pod-autoscaler",
		Gates: []feature.Gate{
			feature.HPAGeneration,
			feature.HPAScaleToZero,
			feature.PodLevelResources,
			feature.StaleControllerConsistencyHPA,
		},
	}, New)
}

// hpaResource is what this controller writes the status of.
var hpaResource = autoscalingv2.Resource("horizontalpodautoscalers")

// key names a HorizontalPodAutoscaler.
type key = types.NamespacedName

type autoscalers struct {
	*controller.Loop
	*autoscaler

	queue   *controller.Queue[key]
	hpas    *informer.Cache[*autoscalingv2.HorizontalPodAutoscaler]
	written *writes.Store
	period  time.Duration
	run     context.Context // of Run
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.HorizontalPodAutoscalerController) (controller.Controller, error) {
	c := &autoscalers{Loop: controller.NewLoop(env), period: section.SyncPeriod.Duration}
	targets, err := newScales(env.API.Config(), env.API.Discovery)
	if err != nil {
		return nil, err
	}
	versions := newVersions(env.API.Discovery)
	source, err := newAPIs(env.API.Config(), versions, targets, c.Work)
	if err != nil {
		return nil, err
	}
	c.Repeat(kindMemory, func(context.Context) { targets.forget() })
	c.Repeat(c.period, func(context.Context) { versions.Invalidate() })
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "horizontalpodautoscaler", Limiter: fixed(c.period), Sync: c.sync})
	c.hpas = controller.Watch(c.Loop, informer.HorizontalPodAutoscalers(), controller.Handler[*autoscalingv2.HorizontalPodAutoscaler]{
		Add: c.added, Update: c.updated, Delete: c.deleted,
	})
	pods := controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{})
	c.autoscaler = &autoscaler{
		settings: settings{
			tolerance: section.Tolerance, window: section.DownscaleStabilization.Duration,
			readiness:  readiness{section.CPUInitializationPeriod.Duration, section.InitialReadinessDelay.Duration},
			toZero:     env.Gates.Enabled(feature.HPAScaleToZero),
			generation: env.Gates.Enabled(feature.HPAGeneration),
			podLevel:   env.Gates.Enabled(feature.PodLevelResources),
		},
		source: source, targets: targets,
		pods: func(namespace string, s labels.Selector) []*corev1.Pod { return pods.Matching(namespace, s) },
		status: func(ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler) error {
			now, err := env.API.Typed.AutoscalingV2().HorizontalPodAutoscalers(hpa.Namespace).UpdateStatus(ctx, hpa, metav1.UpdateOptions{})
			if err == nil {
				c.written.Wrote(now, hpaResource, now)
			}
			return err
		},
		recorder: env.Recorder, clock: env.Clock, metrics: newMetrics(env.Metrics),
		selectors: newSelectors(), histories: newHistories(), stopping: c.ending,
	}
	if env.Gates.Enabled(feature.StaleControllerConsistencyHPA) {
		c.written = writes.NewStore(writes.Caches{hpaResource: func() string { return c.hpas.ResourceVersion() }})
	}
	return c, nil
}

// Run is part of Controller.
func (c *autoscalers) Run(ctx context.Context) error {
	c.run = ctx
	return c.Loop.Run(ctx)
}

// ending says whether an error is only due to the end of the run. Some clients hide
// what was wrong with a request, so that no error counts any more once the end has
// begun.
func (c *autoscalers) ending(ctx context.Context, err error) bool {
	return controller.IsStopping(ctx, err) || err != nil && c.run.Err() != nil
}

// fixed is a rate limit that makes every key wait the same time.
type fixed time.Duration

// When is part of workqueue.TypedRateLimiter.
func (f fixed) When(key) time.Duration { return time.Duration(f) }

// Forget is part of workqueue.TypedRateLimiter.
func (f fixed) Forget(key) {}

// NumRequeues is part of workqueue.TypedRateLimiter.
func (f fixed) NumRequeues(key) int { return 0 }

func (c *autoscalers) added(hpa *autoscalingv2.HorizontalPodAutoscaler) {
	k := key{Namespace: hpa.Namespace, Name: hpa.Name}
	if c.selectors.register(k) {
		c.metrics.objects.Inc()
	}
	c.queue.Add(k)
}

func (c *autoscalers) updated(old, hpa *autoscalingv2.HorizontalPodAutoscaler) {
	if c.settings.generation && old.Generation != hpa.Generation || old.UID != hpa.UID {
		c.added(hpa)
		return
	}
	c.queue.AddRateLimited(key{Namespace: hpa.Namespace, Name: hpa.Name})
}

func (c *autoscalers) deleted(hpa *autoscalingv2.HorizontalPodAutoscaler) {
	k := key{Namespace: hpa.Namespace, Name: hpa.Name}
	c.written.Forget(hpa)
	if c.selectors.remove(k) {
		c.metrics.objects.Dec()
	}
	c.queue.Add(k) // to forget the rest of it after the sync that may be under way
}

// sync comes back after a period. An error does too, by the queue's limit.
func (c *autoscalers) sync(ctx context.Context, k key) error {
	var stale *writes.StaleError
	if err := c.written.Check(k); errors.As(err, &stale) {
		c.metrics.skipped(stale.Resource)
		return err
	}
	hpa, found := c.hpas.Get(k.Namespace, k.Name)
	if !found {
		c.histories.forget(k)
		c.metrics.desired.DeleteLabelValues(k.Namespace, k.Name)
		return nil
	}
	if err := c.reconcile(ctx, hpa.DeepCopy()); err != nil {
		return err
	}
	c.queue.AddAfter(k, c.period)
	return nil
}
