// SPDX-License-Identifier: Apache-2.0

// Package certificatesigningrequestcleaner deletes CertificateSigningRequests that
// nobody waits for any more: those that came to an end some time ago, those whose
// certificate has expired, and those that nobody has ever answered.
package certificatesigningrequestcleaner

import (
	"context"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// interval is between the end of a pass and the next.
const interval = time.Hour

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "certificatesigningrequest-cleaner-controller",
		Alias:          "csrcleaner",
		ServiceAccount: "certificate-controller",
	}, New)
}

type cleaner struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.PassiveClock
	logger   klog.Logger
	requests *informer.Cache[*certificatesv1.CertificateSigningRequest]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.CertificateSigningRequestCleanerController) (controller.Controller, error) {
	c := &cleaner{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger}
	c.requests = controller.Watch(c.Loop, informer.CertificateSigningRequests(), controller.Handler[*certificatesv1.CertificateSigningRequest]{})
	c.Every(interval, c.pass)
	return c, nil
}

// pass looks at all requests: each one's age is what counts. What cannot be deleted
// now has to wait for the next pass.
func (c *cleaner) pass(ctx context.Context) {
	for _, csr := range c.requests.List() {
		why := outdated(csr, c.clock.Now())
		if why == "" {
			continue
		}
		err := c.client.CertificatesV1().CertificateSigningRequests().Delete(ctx, csr.Name, metav1.DeleteOptions{})
		switch {
		case controller.IsStopping(ctx, err):
			return
		case err != nil:
			c.logger.Error(err, "A request could not be deleted", "csr", csr.Name, "reason", why)
		default:
			c.logger.Info("Deleted a request", "csr", csr.Name, "reason", why)
		}
	}
}
