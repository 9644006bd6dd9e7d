// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/endpointslice"
	"k8s.io/endpointslice/util"
	utilnet "k8s.io/utils/net"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/subsets"
)

// subsetsOf are the addresses and ports of the pods that a Service selects, in
// canonical form.
func subsetsOf(service *corev1.Service, pods []*corev1.Pod) []corev1.EndpointSubset {
	var set subsets.Set
	for _, pod := range pods {
		if !util.ShouldPodBeInEndpoints(pod, service.Spec.PublishNotReadyAddresses) {
			continue
		}
		address, found := addressOf(service, pod)
		if !found {
			continue
		}
		ready := service.Spec.PublishNotReadyAddresses || podstate.Ready(pod)
		for _, port := range portsOf(service, pod) {
			set.Add(&address, port, ready)
		}
	}
	return set.Canonical()
}

// addressOf is the pod's address of the one family that the Service's Endpoints
// have.
func addressOf(service *corev1.Service, pod *corev1.Pod) (corev1.EndpointAddress, bool) {
	wantIPv6 := isIPv6(service, pod)
	for _, candidate := range pod.Status.PodIPs {
		// Written anew, in case the address has an irregular form.
		ip := utilnet.ParseIPSloppy(candidate.IP)
		if ip == nil || utilnet.IsIPv6(ip) != wantIPv6 {
			continue
		}
		address := corev1.EndpointAddress{
			IP:        ip.String(),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		}
		if pod.Spec.NodeName != "" { // the API server takes no empty name
			address.NodeName = &pod.Spec.NodeName
		}
		if util.ShouldSetHostname(pod, service) {
			address.Hostname = pod.Spec.Hostname
		}
		return address, true
	}
	return corev1.EndpointAddress{}, false
}

// isIPv6 says which family: the Service's first, or what comes nearest where it
// does not tell.
func isIPv6(service *corev1.Service, pod *corev1.Pod) bool {
	switch {
	case len(service.Spec.IPFamilies) > 0:
		return service.Spec.IPFamilies[0] == corev1.IPv6Protocol
	case hasClusterIP(service):
		return utilnet.IsIPv6String(service.Spec.ClusterIP)
	default:
		return utilnet.IsIPv6String(pod.Status.PodIP)
	}
}

func hasClusterIP(service *corev1.Service) bool {
	return service.Spec.ClusterIP != "" && service.Spec.ClusterIP != corev1.ClusterIPNone
}

// portsOf are the ports of the pod behind those of the Service. A headless Service
// without ports has its pods' addresses all the same, which the nil stands for.
func portsOf(service *corev1.Service, pod *corev1.Pod) []*corev1.EndpointPort {
	if len(service.Spec.Ports) == 0 && service.Spec.ClusterIP == corev1.ClusterIPNone {
		return []*corev1.EndpointPort{nil}
	}
	var ports []*corev1.EndpointPort
	for i := range service.Spec.Ports {
		p := &service.Spec.Ports[i]
		number, err := endpointslice.FindPort(pod, p)
		if err != nil {
			continue // the pod does not have a port of that name
		}
		ports = append(ports, &corev1.EndpointPort{
			Name: p.Name, Port: int32(number), Protocol: p.Protocol, AppProtocol: p.AppProtocol, //nolint:gosec // a port
		})
	}
	return ports
}
