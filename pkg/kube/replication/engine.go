// SPDX-License-Identifier: Apache-2.0

// Package replication keeps the number of active pods of an owner equal to what
// the owner asks for. It is the engine of ReplicaSets and of
// ReplicationControllers, which differ only in how they are read and written: a
// Kind tells that.
//
// An owner is synced whenever it or one of its pods changes. A sync claims the
// pods, creates what is missing or deletes what is too much, and writes the
// status if its content has changed.
package replication

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// Spec is what an owner asks for. It shares its parts with the owner.
type Spec struct {
	Replicas        int32
	MinReadySeconds int32
	Selector        *metav1.LabelSelector
	Template        *corev1.PodTemplateSpec
}

// Kind is how owners are read and written.
type Kind[T informer.Object] struct {
	// GroupVersionKind of the owners, for the references of their pods.
	GroupVersionKind schema.GroupVersionKind
	// Owners are cached as this kind, which must have an index by selector.
	Owners informer.Kind[T]
	// Queue is the name of the work queue in metrics.
	Queue string
	// Spec and Status of an owner. Kinds with a status type of their own are
	// converted.
	Spec   func(owner T) Spec
	Status func(owner T) appsv1.ReplicaSetStatus
	// Live reads an owner from the API server.
	Live func(ctx context.Context, namespace, name string) (T, error)
	// PutStatus writes a status and returns the owner as the server has it
	// then. It must not change the owner it is given.
	PutStatus func(ctx context.Context, owner T, status appsv1.ReplicaSetStatus) (T, error)
}

// Options are what else a controller chooses.
type Options[T informer.Object] struct {
	// Related are the pods among which crowded nodes are found when some of the
	// owner's pods are to be deleted. Nil: no node is crowded.
	Related func(owner T) []*corev1.Pod
	// DeletionCosts lets the pods' deletion costs count.
	DeletionCosts bool
	// Terminating has the status count terminating pods.
	Terminating bool
	// ReadWrites makes an owner wait until the caches show its last writes.
	ReadWrites bool
	// Stale is told of each sync that had to wait for that. Nil is allowed.
	Stale func(schema.GroupResource)
	// Ratio is given, for each ready pod that was chosen for deletion, how
	// often its age holds that of the youngest. Nil is allowed.
	Ratio func(float64)
}

// Engine is one run of a controller.
type Engine[T informer.Object] struct {
	*controller.Loop

	// Owners and Pods are the caches, for Options.Related.
	Owners *informer.Cache[T]
	Pods   *informer.Cache[*corev1.Pod]

	kind Kind[T]
	opts Options[T]

	client   kubernetes.Interface
	control  podcontrol.Control
	clock    clock.PassiveClock
	logger   klog.Logger
	queue    *controller.Queue[types.NamespacedName]
	expected expectations.Tracked
	pacer    *pacing.Pacer[types.NamespacedName]
	written  *writes.Store
}

// podResource is how pods are called where writes are remembered.
var podResource = corev1.Resource("pods")

// New wires a run of the controller of a kind.
func New[T informer.Object](env controller.Env, kind Kind[T], opts Options[T]) *Engine[T] {
	e := &Engine[T]{
		Loop:     controller.NewLoop(env),
		kind:     kind,
		opts:     opts,
		client:   env.API.Typed,
		control:  podcontrol.Control{Client: env.API.Typed, Recorder: env.Recorder},
		clock:    env.Clock,
		logger:   env.Logger,
		expected: expectations.NewTracked(env.Clock),
		pacer:    pacing.New[types.NamespacedName](env.Clock),
	}
	e.queue = controller.NewQueue(e.Loop, controller.QueueOptions[types.NamespacedName]{Name: kind.Queue, Sync: e.sync})
	e.Owners = controller.Watch(e.Loop, kind.Owners, controller.Handler[T]{
		Add:    e.enqueue,
		Update: e.ownerUpdated,
		Delete: e.ownerDeleted,
	})
	e.Pods = controller.Watch(e.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    e.podAdded,
		Update: e.podUpdated,
		Delete: e.podDeleted,
	})
	if opts.ReadWrites {
		e.written = writes.NewStore(writes.Caches{
			podResource:       func() string { return e.Pods.ResourceVersion() },
			e.ownerResource(): func() string { return e.Owners.ResourceVersion() },
		})
	}
	return e
}

func (e *Engine[T]) ownerResource() schema.GroupResource {
	return e.kind.Owners.Resource().GroupResource()
}
