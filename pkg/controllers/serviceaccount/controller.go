// SPDX-License-Identifier: Apache-2.0

// Package serviceaccount makes sure that every active namespace has the
// ServiceAccount "default".
package serviceaccount

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// account is the one that pods get which name none.
const account = "default"

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "serviceaccount-controller",
		Alias:          "serviceaccount",
		ServiceAccount: "service-account-controller",
	}, New)
}

type accounts struct {
	*controller.Loop

	client     kubernetes.Interface
	queue      *controller.Queue[string] // of namespace names
	namespaces *informer.Cache[*corev1.Namespace]
	accounts   *informer.Cache[*corev1.ServiceAccount]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.ServiceAccountController) (controller.Controller, error) {
	c := &accounts{Loop: controller.NewLoop(env), client: env.API.Typed}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{Name: "serviceaccount", Sync: c.sync})
	c.namespaces = controller.Watch(c.Loop, informer.Namespaces(), controller.Handler[*corev1.Namespace]{
		Add:    func(ns *corev1.Namespace) { c.queue.Add(ns.Name) },
		Update: func(_, ns *corev1.Namespace) { c.queue.Add(ns.Name) },
	})
	c.accounts = controller.Watch(c.Loop, informer.ServiceAccounts(), controller.Handler[*corev1.ServiceAccount]{
		Delete: func(sa *corev1.ServiceAccount) { c.queue.Add(sa.Namespace) },
	})
	return c, nil
}

func (c *accounts) sync(ctx context.Context, namespace string) error {
	ns, found := c.namespaces.Get("", namespace)
	if !found || ns.Status.Phase != corev1.NamespaceActive {
		return nil
	}
	if _, found := c.accounts.Get(namespace, account); found {
		return nil
	}
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account}}
	_, err := c.client.CoreV1().ServiceAccounts(namespace).Create(ctx, sa, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
