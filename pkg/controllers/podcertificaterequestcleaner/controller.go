// SPDX-License-Identifier: Apache-2.0

// Package podcertificaterequestcleaner deletes PodCertificateRequests that are so
// old that the kubelet which made them has long read the answer, or given up.
package podcertificaterequestcleaner

import (
	"context"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

const (
	// interval is between the end of a pass and the next.
	interval = 5 * time.Minute
	// keep is how long a request stays, whatever became of it.
	keep = 15 * time.Minute
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "podcertificaterequest-cleaner-controller",
		ServiceAccount: "podcertificaterequestcleaner",
		Required:       []feature.Gate{feature.PodCertificateRequest},
	}, New)
}

type cleaner struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.PassiveClock
	logger   klog.Logger
	requests *informer.Cache[*certificatesv1.PodCertificateRequest]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.PodCertificateRequestCleanerController) (controller.Controller, error) {
	c := &cleaner{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger}
	c.requests = controller.Watch(c.Loop, informer.PodCertificateRequests(), controller.Handler[*certificatesv1.PodCertificateRequest]{})
	c.Every(interval, c.pass)
	return c, nil
}

// pass looks at all requests: each one's age is what counts. What cannot be deleted
// now has to wait for the next pass.
func (c *cleaner) pass(ctx context.Context) {
	for _, r := range c.requests.List() {
		if !outdated(r, c.clock.Now()) {
			continue
		}
		// Not another one of that name, which is younger.
		only := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(r.UID))}
		err := c.client.CertificatesV1().PodCertificateRequests(r.Namespace).Delete(ctx, r.Name, only)
		switch {
		case controller.IsStopping(ctx, err):
			return
		case err != nil && !apierrors.IsNotFound(err):
			c.logger.Error(err, "A request could not be deleted", "podCertificateRequest", klog.KObj(r))
		}
	}
}

func outdated(r *certificatesv1.PodCertificateRequest, now time.Time) bool {
	return !now.Before(r.CreationTimestamp.Add(keep))
}
