// SPDX-License-Identifier: Apache-2.0

// Package validatingadmissionpolicystatus checks the types in the expressions of
// ValidatingAdmissionPolicies and writes what it finds to their status. It warns;
// it changes nothing about what a policy does.
//
// The types are those that the API server serves at that moment. A policy is
// checked once in each generation, so one whose resources come later than itself
// is checked against what there was.
package validatingadmissionpolicystatus

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "validatingadmissionpolicy-status-controller",
		ServiceAccount: "validatingadmissionpolicy-status-controller",
	}, New)
}

type statuses struct {
	*controller.Loop

	client   kubernetes.Interface
	logger   klog.Logger
	checker  *checker
	delays   *delays
	queue    *controller.Queue[string] // of names of policies
	policies *informer.Cache[*admissionv1.ValidatingAdmissionPolicy]
}

// New wires a run of the controller.
func New(env controller.Env, _ *v1beta1.ValidatingAdmissionPolicyStatusController) (controller.Controller, error) {
	c := &statuses{
		Loop: controller.NewLoop(env), client: env.API.Typed, logger: env.Logger,
		checker: newChecker(discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery), env.Clock),
		delays:  newDelays(),
	}
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{Name: "validatingadmissionpolicy-status", Sync: c.sync})
	c.policies = controller.Watch(c.Loop, informer.ValidatingAdmissionPolicies(), controller.Handler[*admissionv1.ValidatingAdmissionPolicy]{
		Add:    func(p *admissionv1.ValidatingAdmissionPolicy) { c.queue.Add(p.Name) },
		Update: func(_, p *admissionv1.ValidatingAdmissionPolicy) { c.queue.Add(p.Name) },
		Delete: func(p *admissionv1.ValidatingAdmissionPolicy) { c.delays.forget(p.Name) },
	})
	return c, nil
}
