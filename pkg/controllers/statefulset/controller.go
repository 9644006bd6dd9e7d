// SPDX-License-Identifier: Apache-2.0

// Package statefulset keeps the numbered pods of each StatefulSet, with the
// volume claims that belong to their numbers. Pods come and go in the order of
// their numbers, or all at once, as the set asks for; a change of the template is
// a new revision, to which the pods are moved one after the other.
//
// A sync reads the caches, decides (the files called decide), and does what was
// decided. Since a pod's name follows from its number, doing it twice ends in
// AlreadyExists and never in a second pod.
package statefulset

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "statefulset-controller",
		Alias:          "statefulset",
		ServiceAccount: "statefulset-controller",
		Gates: []feature.Gate{
			feature.MaxUnavailableStatefulSet,
			feature.StaleControllerConsistencyStatefulSet,
			feature.StatefulSetRecreateStrategy,
			feature.StatefulSetSemanticRevisionComparison,
		},
	}, New)
}

// kind of the owners that this controller is for.
var kind = appsv1.SchemeGroupVersion.WithKind("StatefulSet")

// How the resources are called where writes are remembered.
var (
	podResource   = corev1.Resource("pods")
	claimResource = corev1.Resource("persistentvolumeclaims")
	setResource   = schema.GroupResource{Group: appsv1.GroupName, Resource: "statefulsets"}
)

// sameTemplates is how many answers are remembered to the question whether two
// unequal revisions hold the same template.
const sameTemplates = 10_000

type statefulSets struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	clock    clock.PassiveClock
	logger   klog.Logger
	metrics  *runMetrics
	gates    gates

	queue     *controller.Queue[types.NamespacedName]
	sets      *informer.Cache[*appsv1.StatefulSet]
	pods      *informer.Cache[*corev1.Pod]
	claims    *informer.Cache[*corev1.PersistentVolumeClaim]
	revisions revision.Store
	written   *writes.Store
	pacer     *pacing.Pacer[types.NamespacedName]
	same      *lru.Cache
}

// gates are the values of those that are read more than once.
type gates struct {
	// maxUnavailable lets a rolling update take several pods at a time.
	maxUnavailable bool
	// recreate allows the strategy of that name.
	recreate bool
	// semantic compares revisions by what they say, not only by their bytes.
	semantic bool
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count.
func New(env controller.Env, _ *v1beta1.StatefulSetController) (controller.Controller, error) {
	c := &statefulSets{
		Loop:     controller.NewLoop(env),
		client:   env.API.Typed,
		recorder: env.Recorder,
		clock:    env.Clock,
		logger:   env.Logger,
		metrics:  newMetrics(env.Metrics),
		gates: gates{
			maxUnavailable: env.Gates.Enabled(feature.MaxUnavailableStatefulSet),
			recreate:       env.Gates.Enabled(feature.StatefulSetRecreateStrategy),
			semantic:       env.Gates.Enabled(feature.StatefulSetSemanticRevisionComparison),
		},
		pacer: pacing.New[types.NamespacedName](env.Clock),
		same:  lru.New(sameTemplates),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[types.NamespacedName]{Name: "statefulset", Sync: c.sync})
	c.sets = controller.Watch(c.Loop, informer.StatefulSets(), controller.Handler[*appsv1.StatefulSet]{
		Add:    c.enqueue,
		Update: c.setUpdated,
		Delete: c.setDeleted,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    c.podAdded,
		Update: c.podUpdated,
		Delete: c.podDeleted,
	})
	c.claims = controller.Watch(c.Loop, informer.PersistentVolumeClaims(), controller.Handler[*corev1.PersistentVolumeClaim]{})
	c.revisions = revision.Store{
		Client: env.API.Typed,
		Cache:  controller.Watch(c.Loop, informer.ControllerRevisions(), controller.Handler[*appsv1.ControllerRevision]{}),
		Kind:   kind,
	}
	if env.Gates.Enabled(feature.StaleControllerConsistencyStatefulSet) {
		c.written = writes.NewStore(writes.Caches{
			podResource:   func() string { return c.pods.ResourceVersion() },
			claimResource: func() string { return c.claims.ResourceVersion() },
			setResource:   func() string { return c.sets.ResourceVersion() },
		})
	}
	return c, nil
}
