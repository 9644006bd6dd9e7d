// SPDX-License-Identifier: Apache-2.0

// Package deployment rolls Deployments out: it makes a ReplicaSet for each
// version of the pod template, moves the replicas from the old ones to the new
// one, and reports how far it has come.
package deployment

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// maxRetries is how often a failing Deployment is tried again before it waits
// for its next event: the last of the growing delays is 82 s.
const maxRetries = 15

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "deployment-controller",
		Alias:          "deployment",
		ServiceAccount: "deployment-controller",
		Gates:          []feature.Gate{feature.DeploymentReplicaSetTerminatingReplicas},
	}, New)
}

type key struct{ namespace, name string }

func (k key) String() string { return k.namespace + "/" + k.name }

func keyOf(d *appsv1.Deployment) key { return key{d.Namespace, d.Name} }

type deployments struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	clock    clock.PassiveClock
	// terminating says whether pods being deleted are counted in the status.
	terminating bool

	queue       *controller.Queue[key]
	pacer       *pacing.Pacer[key]
	templates   comparisons
	deployments *informer.Cache[*appsv1.Deployment]
	replicaSets *informer.Cache[*appsv1.ReplicaSet]
	pods        *informer.Cache[*corev1.Pod]
}

// New wires a run of the controller.
func New(env controller.Env, _ *v1beta1.DeploymentController) (controller.Controller, error) {
	c := &deployments{
		Loop:        controller.NewLoop(env),
		client:      env.API.Typed,
		recorder:    env.Recorder,
		clock:       env.Clock,
		pacer:       pacing.New[key](env.Clock),
		templates:   newComparisons(),
		terminating: env.Gates.Enabled(feature.DeploymentReplicaSetTerminatingReplicas),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[key]{Name: "deployment", MaxRetries: maxRetries, Sync: c.sync})
	c.deployments = controller.Watch(c.Loop, informer.Deployments(), controller.Handler[*appsv1.Deployment]{
		Add:    c.enqueue,
		Update: func(_, d *appsv1.Deployment) { c.enqueue(d) },
		Delete: c.enqueue,
	})
	c.replicaSets = controller.Watch(c.Loop, informer.ReplicaSets(), controller.Handler[*appsv1.ReplicaSet]{
		Add:    c.replicaSetAdded,
		Update: c.replicaSetUpdated,
		Delete: c.replicaSetDeleted,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{Delete: c.podDeleted})
	return c, nil
}
