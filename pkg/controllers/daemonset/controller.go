// SPDX-License-Identifier: Apache-2.0

// Package daemonset runs one pod of each DaemonSet on every node that fits: it
// makes and deletes the pods, which the scheduler then binds to the node they are
// pinned to, replaces them when the template changes, and keeps the history of
// the template.
//
// What a sync does follows from the nodes and the pods alone. All decisions are
// methods of view, which is what a sync has read; the rest carries them out.
package daemonset

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

const kind = "DaemonSet"

func groupVersionKind() schema.GroupVersionKind { return appsv1.SchemeGroupVersion.WithKind(kind) }

// Pods that keep failing on a node are replaced ever more slowly, and quickly
// again after they have lived for twice the maximum.
const (
	firstBackoff = time.Second
	maxBackoff   = 15 * time.Minute
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "daemonset-controller",
		Alias:          "daemonset",
		ServiceAccount: "daemon-set-controller",
		Gates: []feature.Gate{
			feature.StaleControllerConsistencyDaemonSet,
			feature.TaintTolerationComparisonOperators,
		},
	}, New)
}

type daemonSets struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	control  podcontrol.Control
	clock    clock.WithTicker
	logger   klog.Logger
	metrics  *runMetrics
	// comparison lets tolerations compare numbers.
	comparison bool

	queue     *controller.Queue[types.NamespacedName]
	nodeQueue *controller.Queue[nodeChange]

	sets      *informer.Cache[*appsv1.DaemonSet]
	revisions *informer.Cache[*appsv1.ControllerRevision]
	pods      *informer.Cache[*corev1.Pod]
	nodes     *informer.Cache[*corev1.Node]

	history  revision.Store
	expected expectations.Tracked
	written  *writes.Store
	failures *flowcontrol.Backoff
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count, which both queues follow.
func New(env controller.Env, _ *v1beta1.DaemonSetController) (controller.Controller, error) {
	c := &daemonSets{
		Loop:       controller.NewLoop(env),
		client:     env.API.Typed,
		recorder:   env.Recorder,
		control:    podcontrol.Control{Client: env.API.Typed, Recorder: env.Recorder},
		clock:      env.Clock,
		logger:     env.Logger,
		metrics:    newMetrics(env.Metrics),
		comparison: env.Gates.Enabled(feature.TaintTolerationComparisonOperators),
		expected:   expectations.NewTracked(env.Clock),
		failures:   flowcontrol.NewBackOff(firstBackoff, maxBackoff),
	}
	c.failures.Clock = env.Clock
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[types.NamespacedName]{Name: "daemonset", Sync: c.sync})
	c.nodeQueue = controller.NewQueue(c.Loop, controller.QueueOptions[nodeChange]{Name: "daemonset-node-updates", Sync: c.syncNode})
	c.watch()
	c.history = revision.Store{Client: c.client, Cache: c.revisions, Kind: groupVersionKind()}
	if env.Gates.Enabled(feature.StaleControllerConsistencyDaemonSet) {
		c.written = writes.NewStore(writes.Caches{
			podResource():      func() string { return c.pods.ResourceVersion() },
			setResource():      func() string { return c.sets.ResourceVersion() },
			revisionResource(): func() string { return c.revisions.ResourceVersion() },
		})
	}
	c.Repeat(time.Minute, c.forgetFailures)
	return c, nil
}

func podResource() schema.GroupResource      { return corev1.Resource("pods") }
func setResource() schema.GroupResource      { return appsv1.Resource("daemonsets") }
func revisionResource() schema.GroupResource { return appsv1.Resource("controllerrevisions") }

func (c *daemonSets) watch() {
	c.sets = controller.Watch(c.Loop, informer.DaemonSets(), controller.Handler[*appsv1.DaemonSet]{
		Add:    c.enqueue,
		Update: c.setUpdated,
		Delete: c.setDeleted,
	})
	c.revisions = controller.Watch(c.Loop, informer.ControllerRevisions(), controller.Handler[*appsv1.ControllerRevision]{
		Add:    c.revisionAdded,
		Update: c.revisionUpdated,
		Delete: c.revisionDeleted,
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    c.podAdded,
		Update: c.podUpdated,
		Delete: c.podDeleted,
	})
	c.nodes = controller.Watch(c.Loop, informer.Nodes(), controller.Handler[*corev1.Node]{
		Add:    c.nodeAdded,
		Update: c.nodeUpdated,
		Delete: c.nodeDeleted,
	})
}
