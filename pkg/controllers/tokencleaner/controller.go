// SPDX-License-Identifier: Apache-2.0

// Package tokencleaner deletes bootstrap tokens that have expired.
package tokencleaner

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "token-cleaner-controller",
		Alias:          "tokencleaner",
		ServiceAccount: "token-cleaner",
		OffByDefault:   true,
	}, New)
}

type cleaner struct {
	*controller.Loop

	client kubernetes.Interface
	clock  clock.PassiveClock
	logger klog.Logger
	queue  *controller.Queue[cache.ObjectName]
	tokens *informer.Cache[*corev1.Secret]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.TokenCleanerController) (controller.Controller, error) {
	c := &cleaner{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[cache.ObjectName]{Name: "token_cleaner", Sync: c.sync})
	c.tokens = controller.Watch(c.Loop, informer.BootstrapTokens(), controller.Handler[*corev1.Secret]{
		Add:    func(s *corev1.Secret) { c.queue.Add(cache.MetaObjectToName(s)) },
		Update: func(_, s *corev1.Secret) { c.queue.Add(cache.MetaObjectToName(s)) },
	})
	return c, nil
}
