// SPDX-License-Identifier: Apache-2.0

// Package subsets brings the subsets of Endpoints into one form: every port, or set
// of ports, that the same addresses offer is in one subset, and everything is in
// an order that does not depend on how the subsets were found. Two writers of the
// same addresses then write the same object. The order is upstream's, which users
// see.
package subsets

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/dump"
)

// host is what makes two addresses the same.
type host struct {
	ip  string
	uid types.UID
}

// offer says which hosts have a port, and whether each is ready there.
type offer map[host]bool

// portless stands for the port of addresses that have none. No port has a negative
// number.
const portless = -1

// Set gathers addresses and their ports. The zero value is empty.
type Set struct {
	addresses map[host]*corev1.EndpointAddress
	// offers are by whole ports, so an application protocol is told apart by its
	// pointer, as upstream.
	offers map[corev1.EndpointPort]offer
}

// Add says that an address has a port, or, with nil, that it has none at all. An
// address that was added both as ready and as not is not. Of addresses with the
// same IP and target the first is kept.
func (s *Set) Add(address *corev1.EndpointAddress, port *corev1.EndpointPort, ready bool) {
	if s.addresses == nil {
		s.addresses, s.offers = map[host]*corev1.EndpointAddress{}, map[corev1.EndpointPort]offer{}
	}
	h := host{ip: address.IP}
	if address.TargetRef != nil {
		h.uid = address.TargetRef.UID
	}
	if s.addresses[h] == nil {
		s.addresses[h] = address
	}
	if port == nil {
		port = &corev1.EndpointPort{Port: portless}
	}
	o := s.offers[*port]
	if o == nil {
		o = offer{}
		s.offers[*port] = o
	}
	before, seen := o[h]
	o[h] = ready && (before || !seen)
}

// Canonical is the set as subsets. Addresses are shared with those that were added.
func (s *Set) Canonical() []corev1.EndpointSubset {
	groups := map[string]*corev1.EndpointSubset{}
	for port, o := range s.offers {
		hosts := o.hosts()
		key := o.key(hosts)
		group := groups[key]
		if group == nil {
			group = s.subset(o, hosts)
			groups[key] = group
		}
		if port.Port != portless {
			group.Ports = append(group.Ports, port)
		}
	}
	var all []corev1.EndpointSubset
	for _, group := range groups {
		group.Ports = byHash(group.Ports)
		all = append(all, *group)
	}
	return byHash(all)
}

func (s *Set) subset(o offer, hosts []host) *corev1.EndpointSubset {
	subset := &corev1.EndpointSubset{}
	for _, h := range hosts {
		if o[h] {
			subset.Addresses = append(subset.Addresses, *s.addresses[h])
		} else {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, *s.addresses[h])
		}
	}
	return subset
}

// hosts are those of an offer in the order of addresses: by the text of the IP.
func (o offer) hosts() []host {
	hosts := make([]host, 0, len(o))
	for h := range o {
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b host) int {
		return cmp.Or(strings.Compare(a.ip, b.ip), strings.Compare(string(a.uid), string(b.uid)))
	})
	return hosts
}

// key is equal for equal offers.
func (o offer) key(hosts []host) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "%q %q %t\n", h.ip, h.uid, o[h])
	}
	return b.String()
}

// Canonical is what the subsets say in the one form. The given ones are not changed.
func Canonical(given []corev1.EndpointSubset) []corev1.EndpointSubset {
	var s Set
	for i := range given {
		ports := []*corev1.EndpointPort{nil}
		if len(given[i].Ports) > 0 {
			ports = ports[:0]
			for j := range given[i].Ports {
				ports = append(ports, &given[i].Ports[j])
			}
		}
		for _, port := range ports {
			for j := range given[i].Addresses {
				s.Add(&given[i].Addresses[j], port, true)
			}
			for j := range given[i].NotReadyAddresses {
				s.Add(&given[i].NotReadyAddresses[j], port, false)
			}
		}
	}
	return s.Canonical()
}

// byHash sorts by a hash of everything in an item. Dumping is dear, so it is done
// once for each, and not at all where there is nothing to sort.
func byHash[T any](items []T) []T {
	if len(items) < 2 {
		return items
	}
	type hashed struct {
		item T
		hash []byte
	}
	list := make([]hashed, 0, len(items))
	for _, item := range items {
		h := fnv.New128a()
		_, _ = h.Write([]byte(dump.ForHash(item))) // a hash never fails
		list = append(list, hashed{item, h.Sum(nil)})
	}
	slices.SortFunc(list, func(a, b hashed) int { return bytes.Compare(a.hash, b.hash) })
	for i := range list {
		items[i] = list[i].item
	}
	return items
}
