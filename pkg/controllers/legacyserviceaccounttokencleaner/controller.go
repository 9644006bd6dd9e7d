// SPDX-License-Identifier: Apache-2.0

// Package legacyserviceaccounttokencleaner takes token Secrets out of service that
// were made for ServiceAccounts by former versions of Kubernetes and that nobody uses
// any more. Once a day it marks those that were not used for a whole period; the API
// server refuses their tokens from then on. After another period without the mark
// being removed it deletes them.
package legacyserviceaccounttokencleaner

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// interval is the time from the end of a pass to the next one.
const interval = 24 * time.Hour

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "legacy-serviceaccount-token-cleaner-controller",
		Alias:          "legacy-service-account-token-cleaner",
		ServiceAccount: "legacy-service-account-token-cleaner",
	}, New)
}

type cleaner struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.WithTicker
	logger   klog.Logger
	period   time.Duration
	accounts *informer.Cache[*corev1.ServiceAccount]
	secrets  *informer.Cache[*corev1.Secret]
	pods     *informer.Cache[*corev1.Pod]
}

// New wires a run of the controller.
func New(env controller.Env, section *v1beta1.LegacyServiceAccountTokenCleanerController) (controller.Controller, error) {
	period := section.CleanUpPeriod.Duration
	if period <= 0 {
		return nil, fmt.Errorf("invalid CleanUpPeriod: %s is not more than 0", period)
	}
	c := &cleaner{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger, period: period}
	c.accounts = controller.Watch(c.Loop, informer.ServiceAccounts(), controller.Handler[*corev1.ServiceAccount]{})
	c.secrets = controller.Watch(c.Loop, informer.TokenSecrets(), controller.Handler[*corev1.Secret]{})
	c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{})
	c.Go(c.run)
	return c, nil
}

// run passes over all Secrets at once and then daily. Nothing is lost when a pass
// ends early: the next one sees the same marks.
func (c *cleaner) run(stop context.Context) {
	for {
		c.pass(stop)
		select {
		case <-stop.Done():
			return
		case <-c.clock.After(interval):
		}
	}
}
