// SPDX-License-Identifier: Apache-2.0

// Package ttlafterfinished deletes finished Jobs when the time for which their
// spec.ttlSecondsAfterFinished keeps them is over.
package ttlafterfinished

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "ttl-after-finished-controller",
		Alias:          "ttl-after-finished",
		ServiceAccount: "ttl-after-finished-controller",
	}, New)
}

type cleaner struct {
	*controller.Loop

	client kubernetes.Interface
	clock  clock.PassiveClock
	delays *metrics.Histogram
	queue  *controller.Queue[cache.ObjectName] // of Jobs
	jobs   *informer.Cache[*batchv1.Job]
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count, both of which the manager sees to.
func New(env controller.Env, _ *v1beta1.TTLAfterFinishedController) (controller.Controller, error) {
	c := &cleaner{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, delays: newDelays(env.Metrics)}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{Name: "ttl_jobs_to_delete", Sync: c.sync})
	// Waiting Jobs are in the queue only. It is empty at the start of a run, but
	// Add is then called for every Job there is.
	c.jobs = controller.Watch(c.Loop, informer.Jobs(), controller.Handler[*batchv1.Job]{
		Add:    c.enqueue,
		Update: func(_, job *batchv1.Job) { c.enqueue(job) },
	})
	return c, nil
}

func (c *cleaner) enqueue(job *batchv1.Job) {
	if expires(job) {
		c.queue.Add(cache.MetaObjectToName(job))
	}
}

// sync deletes a Job whose time is over. The cache may be a moment behind, and a
// deletion cannot be taken back: so the API server is asked before, and deletes
// only the very Job it answered with, not a later one of the same name.
func (c *cleaner) sync(ctx context.Context, key cache.ObjectName) error {
	job, found := c.jobs.Get(key.Namespace, key.Name)
	if !found {
		return nil
	}
	if next, err := c.judge(ctx, job); !next.delete {
		return err
	}
	jobs := c.client.BatchV1().Jobs(key.Namespace)
	live, err := jobs.Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	next, err := c.judge(ctx, live)
	if !next.delete {
		return err
	}
	err = jobs.Delete(ctx, key.Name, metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationForeground), // the pods go first
		Preconditions:     &metav1.Preconditions{UID: &live.UID},
	})
	if err != nil {
		return err
	}
	c.delays.Observe(c.clock.Since(next.expiry).Seconds())
	return nil
}

// judge decides on a Job as of now, and queues it for its expiry when that is to
// come.
func (c *cleaner) judge(ctx context.Context, job *batchv1.Job) (action, error) {
	now := c.clock.Now()
	next, err := decide(job, now)
	if next.finish.After(now) {
		klog.FromContext(ctx).Info("A Job finished in the future; do the clocks of the cluster differ?", "job", klog.KObj(job), "finish", next.finish)
	}
	if next.wait > 0 {
		c.queue.AddAfter(cache.MetaObjectToName(job), next.wait)
	}
	return next, err
}
