// SPDX-License-Identifier: Apache-2.0

// Package rootcacertificatepublisher keeps a ConfigMap with the cluster's CA
// bundle in every namespace, so that pods can verify the API server.
package rootcacertificatepublisher

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
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
	ca         string
	syncs      syncMetrics
	queue      *controller.Queue[string] // of namespace names
	configMaps *informer.Cache[*corev1.ConfigMap]
	namespaces *informer.Cache[*corev1.Namespace]
}

// New reads the bundle and wires a run of the controller. What it publishes is
// fixed from then on: another file means another run.
func New(env controller.Env, section *v1beta1.RootCACertificatePublisherController) (controller.Controller, error) {
	ca, err := bundle(section.RootCAFile, env.ClusterCA)
	if err != nil {
		return nil, err
	}
	c := &publisher{
		Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock,
		ca: string(ca), syncs: newSyncMetrics(env.Metrics),
	}
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

// bundle is what is published: the file's content byte for byte, which must hold
// a certificate, or without a file the cluster's own CA, which may be empty.
func bundle(file string, clusterCA []byte) ([]byte, error) {
	if file == "" {
		return clusterCA, nil
	}
	pem, err := os.ReadFile(file)
	if err == nil {
		_, err = certutil.ParseCertsPEM(pem)
	}
	if err != nil {
		return nil, fmt.Errorf("error parsing root-ca-file at %s: %w", file, err)
	}
	return pem, nil
}
