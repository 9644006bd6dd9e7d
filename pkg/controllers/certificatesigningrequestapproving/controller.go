// SPDX-License-Identifier: Apache-2.0

// Package certificatesigningrequestapproving approves the requests of kubelets for
// their client certificates, where RBAC lets whoever asks have one.
package certificatesigningrequestapproving

import (
	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

// workers is upstream's number, which nothing configures.
const workers = 5

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "certificatesigningrequest-approving-controller",
		Alias:          "csrapproving",
		ServiceAccount: "certificate-controller",
	}, New)
}

type approver struct {
	*controller.Loop

	client   kubernetes.Interface
	queue    *controller.Queue[string] // of the names of requests
	requests *informer.Cache[*certificatesv1.CertificateSigningRequest]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.CertificateSigningRequestApprovingController) (controller.Controller, error) {
	c := &approver{Loop: controller.NewLoop(env), client: env.API.Typed}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "certificate", Workers: controller.NewWorkers(workers), Limiter: certificaterequest.Retries(), Sync: c.sync,
	})
	// A resync counts as an update, so that a permission that was given meanwhile
	// is found at the latest then.
	c.requests = controller.Watch(c.Loop, informer.CertificateSigningRequests(), controller.Handler[*certificatesv1.CertificateSigningRequest]{
		Add:    func(csr *certificatesv1.CertificateSigningRequest) { c.queue.Add(csr.Name) },
		Update: func(_, csr *certificatesv1.CertificateSigningRequest) { c.queue.Add(csr.Name) },
		Delete: func(csr *certificatesv1.CertificateSigningRequest) { c.queue.Add(csr.Name) }, // ends its retries
	})
	return c, nil
}
