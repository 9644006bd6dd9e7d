// SPDX-License-Identifier: Apache-2.0

// Package clusterroleaggregation gives ClusterRoles that have an aggregation rule
// the rules of the ClusterRoles they select.
package clusterroleaggregation

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// workers is how many ClusterRoles are handled at once, as upstream.
const workers = 5

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "clusterrole-aggregation-controller",
		Alias:          "clusterrole-aggregation",
		ServiceAccount: "clusterrole-aggregation-controller",
	}, New)
}

type aggregator struct {
	*controller.Loop

	client kubernetes.Interface
	queue  *controller.Queue[string] // of names of ClusterRoles with an aggregation rule
	roles  *informer.Cache[*rbacv1.ClusterRole]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.ClusterRoleAggregationController) (controller.Controller, error) {
	c := &aggregator{Loop: controller.NewLoop(env), client: env.API.Typed}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "ClusterRoleAggregator", Workers: controller.NewWorkers(workers), Sync: c.sync,
	})
	c.roles = controller.Watch(c.Loop, informer.ClusterRoles(), controller.Handler[*rbacv1.ClusterRole]{
		Add: c.changed,
		Update: func(before, after *rbacv1.ClusterRole) {
			c.changed(before)
			c.changed(after)
		},
		Delete: c.changed,
	})
	return c, nil
}

// changed queues the ClusterRoles that a state of this one may matter to: those
// that may select it, and itself.
func (c *aggregator) changed(role *rbacv1.ClusterRole) {
	if role.AggregationRule != nil {
		c.queue.Add(role.Name)
	}
	for _, aggregated := range c.roles.Guarding("", role.Labels) {
		c.queue.Add(aggregated.Name)
	}
}
