// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// parse reads subsets written as "ready|not ready|ports".
func parse(texts ...string) *corev1.Endpoints {
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "web", UID: "uid-x"}}
	for _, text := range texts {
		parts := strings.Split(text, "|")
		var s corev1.EndpointSubset
		for i, list := range []*[]corev1.EndpointAddress{&s.Addresses, &s.NotReadyAddresses} {
			for ip := range strings.FieldsSeq(parts[i]) {
				*list = append(*list, corev1.EndpointAddress{IP: ip})
			}
		}
		for number := range strings.FieldsSeq(parts[2]) {
			p := corev1.EndpointPort{Protocol: corev1.ProtocolTCP}
			_, _ = fmt.Sscan(number, &p.Port)
			s.Ports = append(s.Ports, p)
		}
		e.Subsets = append(e.Subsets, s)
	}
	return e
}

// describe writes a slice as "family: ready addresses|others|ports".
func describe(s *discoveryv1.EndpointSlice) string {
	var ready, others, ports []string
	for _, e := range s.Endpoints {
		if ptr.Deref(e.Conditions.Ready, false) {
			ready = append(ready, e.Addresses...)
		} else {
			others = append(others, e.Addresses...)
		}
	}
	for _, p := range s.Ports {
		ports = append(ports, fmt.Sprint(*p.Port))
	}
	slices.Sort(ready)
	slices.Sort(others)
	slices.Sort(ports)
	return fmt.Sprintf("%s: %s|%s|%s", s.AddressType, strings.Join(ready, " "), strings.Join(others, " "), strings.Join(ports, " "))
}

func described(list []*discoveryv1.EndpointSlice) []string {
	all := []string{}
	for _, s := range list {
		all = append(all, describe(s))
	}
	slices.Sort(all)
	return all
}

// mirrored are the slices that are made for Endpoints that have none, with names.
func mirrored(e *corev1.Endpoints, limit int) []*discoveryv1.EndpointSlice {
	made := decide(e, contentOf(e, limit), nil).create
	for i, s := range made {
		s.Name = fmt.Sprint("slice-", i)
	}
	return made
}
