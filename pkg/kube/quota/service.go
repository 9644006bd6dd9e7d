// SPDX-License-Identifier: Apache-2.0

package quota

import (
	corev1 "k8s.io/api/core/v1"
)

const countServices = corev1.ResourceName("count/services")

// Services evaluates Services.
type Services struct {
	// In lists the Services of a namespace.
	In func(namespace string) []*corev1.Service
}

// Matches is part of Evaluator.
func (Services) Matches(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourceServices, countServices, corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers:
		return true
	}
	return false
}

// Measure is part of Evaluator. Services are in no scope.
func (e Services) Measure(namespace string, scopes []Scope, sum Sum) {
	if len(scopes) > 0 {
		return
	}
	for _, s := range e.In(namespace) {
		sum.Add(corev1.ResourceServices, one())
		sum.Add(countServices, one())
		sum.Count(corev1.ResourceServicesNodePorts, nodePorts(s))
		if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
			sum.Add(corev1.ResourceServicesLoadBalancers, one())
		}
	}
}

// nodePorts is how many ports of every node a Service takes.
func nodePorts(s *corev1.Service) (n int64) {
	switch s.Spec.Type {
	case corev1.ServiceTypeNodePort:
		return int64(len(s.Spec.Ports))
	case corev1.ServiceTypeLoadBalancer:
		if allocate := s.Spec.AllocateLoadBalancerNodePorts; allocate == nil || *allocate {
			return int64(len(s.Spec.Ports))
		}
		for _, p := range s.Spec.Ports {
			if p.NodePort != 0 {
				n++
			}
		}
	}
	return n
}

// ServiceType is what the usage of a Service depends on: NodePort, LoadBalancer, or
// "" for all others.
func ServiceType(s *corev1.Service) corev1.ServiceType {
	switch s.Spec.Type {
	case corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer:
		return s.Spec.Type
	}
	return ""
}
