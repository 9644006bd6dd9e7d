// SPDX-License-Identifier: Apache-2.0

// Package bootstrapsigner signs the ConfigMap cluster-info with every bootstrap
// token, so that a machine that has nothing but such a token can tell a true
// cluster-info from a forged one.
package bootstrapsigner

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "bootstrap-signer-controller",
		Alias:          "bootstrapsigner",
		ServiceAccount: "bootstrap-signer",
		OffByDefault:   true,
	}, New)
}

type signer struct {
	*controller.Loop

	client kubernetes.Interface
	clock  clock.PassiveClock
	logger klog.Logger
	queue  *controller.Queue[string] // of one key, the ConfigMap
	info   *informer.Cache[*corev1.ConfigMap]
	tokens *informer.Cache[*corev1.Secret]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.BootstrapSignerController) (controller.Controller, error) {
	c := &signer{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{Name: "bootstrap_signer_queue", Sync: c.sync})
	c.info = controller.Watch(c.Loop, informer.ClusterInfo(), controller.Handler[*corev1.ConfigMap]{
		Add:    func(*corev1.ConfigMap) { c.sign() },
		Update: func(_, _ *corev1.ConfigMap) { c.sign() },
	})
	c.tokens = controller.Watch(c.Loop, informer.BootstrapTokens(), controller.Handler[*corev1.Secret]{
		Add:    func(*corev1.Secret) { c.sign() },
		Update: func(_, _ *corev1.Secret) { c.sign() },
		Delete: func(*corev1.Secret) { c.sign() },
	})
	return c, nil
}

// sign has all signatures compared anew, whatever it was that changed.
func (c *signer) sign() { c.queue.Add(key) }
