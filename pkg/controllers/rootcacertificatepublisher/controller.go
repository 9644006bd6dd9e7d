// SPDX-License-Identifier: Apache-2.0

// Package rootcacertificatepublisher keeps a ConfigMap with the cluster's CA
// bundle in every namespace, so that pods can verify the API server. When the file
// of the bundle changes, the ConfigMaps of all namespaces follow; a file that cannot
// be used changes none of them, and shows in the controller's health.
package rootcacertificatepublisher

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/rootca"
)

// configMapName is the ConfigMap that kubelets project into pods.
const configMapName = "kube-root-ca.crt"

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "root-ca-certificate-publisher-controller",
		Alias:          "root-ca-cert-publisher",
		ServiceAccount: "root-ca-cert-publisher",
	}, New)
}

type publisher struct {
	*controller.Loop

	client     kubernetes.Interface
	clock      clock.PassiveClock
	bundle     *rootca.Bundle
	syncs      rootca.SyncMetrics
	queue      *controller.Queue[string] // of namespace names
	configMaps *informer.Cache[*corev1.ConfigMap]
	namespaces *informer.Cache[*corev1.Namespace]
}

// New reads the bundle, which must be good now, and wires a run of the controller.
func New(env controller.Env, section *v1beta1.RootCACertificatePublisherController) (controller.Controller, error) {
	bundle, err := rootca.Open(section.RootCAFile, env.ClusterCA, env.Clock, env.Logger)
	if err != nil {
		return nil, err
	}
	c := &publisher{
		Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock,
		bundle: bundle, syncs: rootca.NewSyncMetrics(env.Metrics, "root_ca_cert_publisher", "a namespace's CA bundle"),
	}
	c.Go(func(ctx context.Context) { bundle.Run(ctx, c.republish) })
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{Name: "root_ca_cert_publisher", Sync: c.sync})
	// A ConfigMap that appears is either our own or will be compared when its
	// namespace is queued.
	c.configMaps = controller.Watch(c.Loop, informer.ConfigMapsNamed(configMapName), controller.Handler[*corev1.ConfigMap]{
		Update: func(_, cm *corev1.ConfigMap) { c.queue.Add(cm.Namespace) },
		Delete: func(cm *corev1.ConfigMap) { c.queue.Add(cm.Namespace) },
	})
	c.namespaces = controller.Watch(c.Loop, informer.Namespaces(), controller.Handler[*corev1.Namespace]{
		Add: func(ns *corev1.Namespace) { c.queue.Add(ns.Name) },
		Update: func(_, ns *corev1.Namespace) {
			if ns.Status.Phase == corev1.NamespaceActive {
				c.queue.Add(ns.Name)
			}
		},
	})
	return c, nil
}

// Health is part of controller.Healthy.
func (c *publisher) Health() error { return c.bundle.Health() }

// republish has every namespace compared with a new bundle.
func (c *publisher) republish() {
	for _, ns := range c.namespaces.List() {
		c.queue.Add(ns.Name)
	}
}
