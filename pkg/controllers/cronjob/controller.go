// SPDX-License-Identifier: Apache-2.0

// Package cronjob creates a Job whenever the schedule of a CronJob says so, and
// deletes finished ones of which the CronJob keeps no more.
//
// Nothing about a schedule is remembered here: each sync derives from the status
// which run is the latest that is due, and when to look again. A Job's name follows
// from the time it is scheduled for, so that no run is ever started twice, whatever
// the caches show.
package cronjob

import (
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

var kind = batchv1.SchemeGroupVersion.WithKind("CronJob")

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "cronjob-controller",
		Alias:          "cronjob",
		ServiceAccount: "cronjob-controller",
	}, New)
}

// key names a CronJob.
type key = types.NamespacedName

type cronJobs struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	clock    clock.PassiveClock
	skews    *metrics.Histogram

	queue    *controller.Queue[key]
	cronJobs *informer.Cache[*batchv1.CronJob]
	jobs     *informer.Cache[*batchv1.Job]
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count.
func New(env controller.Env, _ *v1beta1.CronJobController) (controller.Controller, error) {
	c := &cronJobs{
		Loop:     controller.NewLoop(env),
		client:   env.API.Typed,
		recorder: env.Recorder,
		clock:    env.Clock,
		skews:    newSkews(env.Metrics),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "cronjob", Sync: c.sync})
	c.cronJobs = controller.Watch(c.Loop, informer.CronJobs(), controller.Handler[*batchv1.CronJob]{
		Add:    c.enqueue,
		Update: c.updated,
		Delete: c.enqueue,
	})
	c.jobs = controller.Watch(c.Loop, informer.Jobs(), controller.Handler[*batchv1.Job]{
		Add:    c.enqueueOwner,
		Update: c.jobUpdated,
		Delete: c.enqueueOwner,
	})
	return c, nil
}

func keyOf(o metav1.Object) key { return key{Namespace: o.GetNamespace(), Name: o.GetName()} }
