// SPDX-License-Identifier: Apache-2.0

// Package disruption says in the status of each PodDisruptionBudget how many of
// its pods may be evicted now. It also takes back a pod's condition
// DisruptionTarget when the deletion that it announces does not come.
//
// The API server evicts, and lowers the number itself when it does. So a status
// is written only on top of the very version it was computed from: a conflict
// means that an eviction may have come in between, and the whole sync is repeated.
package disruption

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

const (
	// deletionTimeout is how long a pod that was evicted counts as leaving before
	// its deletion has been seen.
	deletionTimeout = 2 * time.Minute
	// targetTimeout is how long a pod may announce a disruption that does not come.
	targetTimeout = 2 * time.Minute
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "disruption-controller",
		Alias:          "disruption",
		ServiceAccount: "disruption-controller",
		Component:      "controllermanager",
	}, New)
}

// budgetResource is what this controller writes the status of.
var budgetResource = policyv1.Resource("poddisruptionbudgets")

// key names a PodDisruptionBudget or a pod.
type key = types.NamespacedName

type budgets struct {
	*controller.Loop

	client   kubernetes.Interface
	recorder record.EventRecorder
	clock    clock.PassiveClock
	logger   klog.Logger

	queue   *controller.Queue[key] // of PodDisruptionBudgets
	recheck *controller.Queue[key] // the same, for when an eviction is overdue
	stale   *controller.Queue[key] // of pods that announce a disruption
	budgets *informer.Cache[*policyv1.PodDisruptionBudget]
	pods    *informer.Cache[*corev1.Pod]
	owners  *owners
	// written has a sync wait until the cache shows the last one's write.
	written *writes.Store
}

// New wires a run of the controller. Its section has nothing but the switch and
// the worker count.
func New(env controller.Env, _ *v1beta1.DisruptionController) (controller.Controller, error) {
	loop := controller.NewLoop(env)
	scales, err := newScales(env)
	if err != nil {
		return nil, err
	}
	c := &budgets{
		Loop: loop, client: env.API.Typed, recorder: env.Recorder, clock: env.Clock, logger: env.Logger,
		owners: newOwners(loop, scales.of),
	}
	c.written = writes.NewStore(writes.Caches{budgetResource: func() string { return c.budgets.ResourceVersion() }})
	c.queue = controller.NewQueue(loop, controller.QueueOptions[key]{Name: "disruption", Sync: c.sync})
	c.recheck = controller.NewQueue(loop, controller.QueueOptions[key]{
		Name: "disruption_recheck", Workers: controller.NewWorkers(1), Sync: c.syncOverdue,
	})
	c.stale = controller.NewQueue(loop, controller.QueueOptions[key]{
		Name: "stale_pod_disruption", Workers: controller.NewWorkers(1), Sync: c.syncStale,
	})
	c.budgets = controller.Watch(loop, informer.PodDisruptionBudgets(), controller.Handler[*policyv1.PodDisruptionBudget]{
		Add:    c.enqueue,
		Update: func(_, b *policyv1.PodDisruptionBudget) { c.enqueue(b) },
		Delete: c.enqueue,
	})
	c.pods = controller.Watch(loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    c.podChanged,
		Update: func(_, pod *corev1.Pod) { c.podChanged(pod) },
		Delete: c.enqueueBudgetOf,
	})
	return c, nil
}
