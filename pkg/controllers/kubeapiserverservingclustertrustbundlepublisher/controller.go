// SPDX-License-Identifier: Apache-2.0

// Package kubeapiserverservingclustertrustbundlepublisher publishes the CA of the
// API server as the only ClusterTrustBundle of the signer that stands for it, so
// that pods can have it projected. When the file of the CA changes, the bundle
// follows; a file that cannot be used changes nothing, and shows in the controller's
// health.
package kubeapiserverservingclustertrustbundlepublisher

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/rootca"
)

// signer stands for the CA with which the API server serves.
const signer = "kubernetes.io/kube-apiserver-serving"

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "kube-apiserver-serving-clustertrustbundle-publisher-controller",
		ServiceAccount: "kube-apiserver-serving-clustertrustbundle-publisher",
		Required:       []feature.Gate{feature.ClusterTrustBundle},
	}, New)
}

type publisher struct {
	*controller.Loop

	client    kubernetes.Interface
	discovery discovery.ServerResourcesInterfaceWithContext
	clock     clock.WithTicker
	logger    klog.Logger
	ca        *rootca.Bundle
	syncs     rootca.SyncMetrics

	queue *controller.Queue[string] // its only key is ""
	// gate holds the worker back until there is something to read.
	gate *controller.Workers
	// bundles are those of the signer; set before the gate opens.
	bundles store
}

// New reads the CA, which must be good now, and wires a run of the controller.
func New(env controller.Env, section *v1beta1.KubeAPIServerServingClusterTrustBundlePublisherController) (controller.Controller, error) {
	ca, err := rootca.Open(section.RootCAFile, env.ClusterCA, env.Clock, env.Logger)
	if err != nil {
		return nil, err
	}
	if len(ca.PEM()) == 0 {
		return nil, controller.Decline("there is no CA to publish: neither a root CA file nor CA data in the kubeconfig")
	}
	if _, err := certutil.NewPoolFromBytes(ca.PEM()); err != nil {
		return nil, fmt.Errorf("error loading the CA to publish: %w", err)
	}
	c := &publisher{
		Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger,
		discovery: discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery),
		ca:        ca, syncs: rootca.NewSyncMetrics(env.Metrics, "clustertrustbundle_publisher", "the signer's trust bundle"), gate: controller.NewWorkers(0),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "ca_cert_publisher_cluster_trust_bundles", Workers: c.gate, Sync: c.sync,
	})
	c.Go(c.follow)
	c.Go(func(ctx context.Context) { ca.Run(ctx, c.again) })
	return c, nil
}

// Health is part of controller.Healthy.
func (c *publisher) Health() error { return c.ca.Health() }

// Attaches is part of controller.Attacher.
func (c *publisher) Attaches(ctx context.Context) ([]informer.Source, error) {
	api, err := c.newest(ctx)
	if api == nil {
		return nil, err
	}
	return []informer.Source{api.kind()}, nil
}

// again has the bundles compared with the CA. All of them are compared at once, so
// it does not matter how often it is called.
func (c *publisher) again() { c.queue.Add("") }

// changed is told of anything that happens to a bundle of the signer.
func (c *publisher) changed() controller.Handler[metav1.Object] {
	return controller.Handler[metav1.Object]{
		Add:    func(metav1.Object) { c.again() },
		Update: func(_, _ metav1.Object) { c.again() },
		Delete: func(metav1.Object) { c.again() },
	}
}
