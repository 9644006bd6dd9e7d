// SPDX-License-Identifier: Apache-2.0

// Package job runs the pods of Jobs until enough of them have succeeded or too
// many have failed.
//
// Each pod is counted exactly once. It carries a finalizer, so it stays, even
// when somebody deletes it, until its end is on record: its UID is written to the
// Job's status first (uncountedTerminatedPods), then the finalizer is removed, and
// only then the UID turns into a number. A controller that dies in between finds
// out from those three where it was.
package job

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

const (
	// batchPeriod is how long changes of pods are collected before their Job
	// is looked at: many pods of a Job change together.
	batchPeriod = time.Second
	// The delay of a retry begins with minRetry and doubles up to maxRetry.
	minRetry = time.Second
	maxRetry = time.Minute
)

var (
	kind        = batchv1.SchemeGroupVersion.WithKind("Job")
	jobResource = batchv1.Resource("jobs")
	podResource = corev1.Resource("pods")
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "job-controller",
		Alias:          "job",
		ServiceAccount: "job-controller",
		Gates: []feature.Gate{
			feature.MutableSchedulingDirectivesForSuspendedJobs,
			feature.StaleControllerConsistencyJob,
			feature.WorkloadWithJob,
		},
	}, New)
}

// key names a Job.
type key = types.NamespacedName

type jobs struct {
	*controller.Loop

	client   kubernetes.Interface
	control  podcontrol.Control
	recorder record.EventRecorder
	clock    clock.PassiveClock
	metrics  *runMetrics
	// restartable has a Job that is suspended forget when it was started.
	restartable bool

	queue   *controller.Queue[key]
	orphans *controller.Queue[orphan]
	jobs    *informer.Cache[*batchv1.Job]
	pods    *informer.Cache[*corev1.Pod]

	expected expectations.Tracked
	written  *writes.Store
	memory   *memory
	pacer    *pacing.Pacer[key]
	// groups is nil unless pods are scheduled in groups.
	groups *groups
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count.
func New(env controller.Env, _ *v1beta1.JobController) (controller.Controller, error) {
	c := &jobs{
		Loop:        controller.NewLoop(env),
		client:      env.API.Typed,
		control:     podcontrol.Control{Client: env.API.Typed, Recorder: env.Recorder},
		recorder:    env.Recorder,
		clock:       env.Clock,
		metrics:     newMetrics(env.Metrics),
		restartable: env.Gates.Enabled(feature.MutableSchedulingDirectivesForSuspendedJobs),
		expected:    expectations.NewTracked(env.Clock),
		memory:      newMemory(),
		pacer:       pacing.New[key](env.Clock),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "job", Sync: c.sync, Limiter: retries[key]()})
	c.orphans = controller.NewQueue(c.Loop, controller.QueueOptions[orphan]{Name: "job_orphan_pod", Sync: c.syncOrphan, Limiter: retries[orphan]()})
	c.jobs = controller.Watch(c.Loop, informer.Jobs(), controller.Handler[*batchv1.Job]{
		Add:    c.jobAdded,
		Update: c.jobUpdated,
		Delete: c.jobDeleted,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    c.podAdded,
		Update: c.podUpdated,
		Delete: func(pod *corev1.Pod) { c.podDeleted(pod, true) },
	})
	if env.Gates.Enabled(feature.StaleControllerConsistencyJob) {
		c.written = writes.NewStore(writes.Caches{
			podResource: func() string { return c.pods.ResourceVersion() },
			jobResource: func() string { return c.jobs.ResourceVersion() },
		})
	}
	if env.Gates.Enabled(feature.WorkloadWithJob) {
		c.groups = newGroups(c.Loop, env)
	}
	return c, nil
}

func retries[K comparable]() workqueue.TypedRateLimiter[K] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[K](minRetry, maxRetry)
}
