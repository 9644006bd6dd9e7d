// SPDX-License-Identifier: Apache-2.0

// Package podgroupprotection lets a PodGroup that was deleted go when no pod that
// is still to run, or runs, belongs to it. Until then a finalizer keeps it, which
// the API server gives to every new PodGroup.
package podgroupprotection

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// finalizer is what keeps a PodGroup in use.
const finalizer = "scheduling.k8s.io/podgroup-protection"

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "podgroup-protection-controller",
		ServiceAccount: "podgroup-protection-controller",
		Required:       []feature.Gate{feature.GenericWorkload},
	}, New)
}

type protection struct {
	*controller.Loop

	client kubernetes.Interface
	queue  *controller.Queue[cache.ObjectName] // of PodGroups
	groups *informer.Cache[*schedulingv1beta1.PodGroup]
	pods   *informer.Cache[*corev1.Pod]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.PodGroupProtectionController) (controller.Controller, error) {
	c := &protection{Loop: controller.NewLoop(env), client: env.API.Typed}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{Name: "podgroupprotection", Sync: c.sync})
	c.groups = controller.Watch(c.Loop, informer.PodGroups(), controller.Handler[*schedulingv1beta1.PodGroup]{
		Add:    c.groupChanged,
		Update: func(_, g *schedulingv1beta1.PodGroup) { c.groupChanged(g) },
	})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{
		Add:    func(pod *corev1.Pod) { c.podsLeft(leavers(nil, pod)...) },
		Update: func(before, pod *corev1.Pod) { c.podsLeft(leavers(before, pod)...) },
		Delete: func(pod *corev1.Pod) { c.podsLeft(pod) },
	})
	return c, nil
}

func (c *protection) groupChanged(g *schedulingv1beta1.PodGroup) {
	if held(g) {
		c.queue.Add(cache.MetaObjectToName(g))
	}
}

// podsLeft is told of pods that do not use their groups any more.
func (c *protection) podsLeft(pods ...*corev1.Pod) {
	for _, pod := range pods {
		if group := informer.GroupOf(pod); group != "" {
			c.queue.Add(cache.ObjectName{Namespace: pod.Namespace, Name: group})
		}
	}
}

// sync lets a group go. A pod that still uses it brings the group back here when
// that ends.
func (c *protection) sync(ctx context.Context, key cache.ObjectName) error {
	g, found := c.groups.Get(key.Namespace, key.Name)
	if !found || !held(g) || len(c.pods.HoldingGroup(key.Namespace, key.Name)) > 0 {
		return nil
	}
	_, err := c.client.SchedulingV1beta1().PodGroups(key.Namespace).Update(ctx, released(g), metav1.UpdateOptions{})
	return err
}

// leavers are those of the two states of a pod whose group it does not use any
// more. A state with another UID was another pod, whose deletion was missed.
func leavers(before, pod *corev1.Pod) (left []*corev1.Pod) {
	if podstate.Terminal(pod) {
		left = append(left, pod)
	}
	if before != nil && before.UID != pod.UID {
		left = append(left, before)
	}
	return left
}

// held says whether a group would be gone but for the finalizer.
func held(g *schedulingv1beta1.PodGroup) bool {
	return g.DeletionTimestamp != nil && slices.Contains(g.Finalizers, finalizer)
}

// released is a copy of the group without the finalizer.
func released(g *schedulingv1beta1.PodGroup) *schedulingv1beta1.PodGroup {
	g = g.DeepCopy()
	g.Finalizers = slices.DeleteFunc(g.Finalizers, func(f string) bool { return f == finalizer })
	if len(g.Finalizers) == 0 {
		g.Finalizers = nil
	}
	return g
}
