// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"net"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/endpointslice/util"
	utilnet "k8s.io/utils/net"

	"github.com/kube-live/kube-controller-manager/pkg/kube/subsets"
)

// wanted says whether an Endpoints object may be copied, as far as it can tell
// itself. What an election keeps its record in has no endpoints.
func wanted(e *corev1.Endpoints) bool {
	_, lock := e.Annotations[resourcelock.LeaderElectionRecordAnnotationKey]
	return e.Labels[discoveryv1.LabelSkipMirror] != "true" && !lock
}

// group is what slices are made for: an address family and a list of ports.
type group struct {
	family    discoveryv1.AddressType
	ports     []discoveryv1.EndpointPort
	endpoints []discoveryv1.Endpoint
	places    map[identity]int
}

// groupKey is equal for slices of the same group.
type groupKey struct {
	family discoveryv1.AddressType
	ports  util.PortMapKey
}

// identity is what makes two endpoints the same.
type identity struct{ addresses, hostname, namespace, name string }

func identityOf(e *discoveryv1.Endpoint) identity {
	var id identity
	sorted := slices.Sorted(slices.Values(e.Addresses))
	for _, a := range sorted {
		id.addresses += a + " "
	}
	if e.Hostname != nil {
		id.hostname = *e.Hostname
	}
	if e.TargetRef != nil {
		id.namespace, id.name = e.TargetRef.Namespace, e.TargetRef.Name
	}
	return id
}

// add puts an endpoint in. Of two with the same identity the last counts.
func (g *group) add(e discoveryv1.Endpoint) {
	id := identityOf(&e)
	if at, found := g.places[id]; found {
		g.endpoints[at] = e
		return
	}
	g.places[id] = len(g.endpoints)
	g.endpoints = append(g.endpoints, e)
}

// content is what an Endpoints object says, in the form of slices.
type content struct {
	groups map[groupKey]*group
	// order is the order of the groups, so that decisions do not depend on chance.
	order []groupKey
	// invalid addresses are none, and skipped ones include those and what was
	// beyond the limit.
	invalid, skipped int
}

// contentOf reads at most so many addresses of each subset.
func contentOf(e *corev1.Endpoints, limit int) *content {
	c := &content{groups: map[groupKey]*group{}}
	for _, subset := range subsets.Canonical(e.Subsets) {
		ports := portsOf(subset.Ports)
		key := util.NewPortMapKey(ports) // sorts them, too
		group := func(family discoveryv1.AddressType) *group { return c.group(groupKey{family, key}, ports) }
		taken := c.take(group, subset.Addresses, true, limit)
		taken += c.take(group, subset.NotReadyAddresses, false, limit-taken)
		c.skipped += len(subset.Addresses) + len(subset.NotReadyAddresses) - taken
	}
	for _, g := range c.groups {
		// Subsets of the same ports may be more together than a slice may hold.
		g.endpoints = g.endpoints[:min(len(g.endpoints), limit)]
	}
	return c
}

// take adds addresses to the groups of their families until the limit is reached,
// and says how many it took.
func (c *content) take(group func(discoveryv1.AddressType) *group, addresses []corev1.EndpointAddress, ready bool, limit int) (taken int) {
	for i := range addresses {
		if taken >= limit {
			return taken
		}
		ip := utilnet.ParseIPSloppy(addresses[i].IP)
		if ip == nil {
			c.invalid++
			continue
		}
		group(familyOf(ip)).add(endpointOf(&addresses[i], ip, ready))
		taken++
	}
	return taken
}

func (c *content) group(key groupKey, ports []discoveryv1.EndpointPort) *group {
	g := c.groups[key]
	if g == nil {
		g = &group{family: key.family, ports: ports, places: map[identity]int{}}
		c.groups[key] = g
		c.order = append(c.order, key)
	}
	return g
}

func familyOf(ip net.IP) discoveryv1.AddressType {
	if ip.To4() != nil {
		return discoveryv1.AddressTypeIPv4
	}
	return discoveryv1.AddressTypeIPv6
}

func endpointOf(a *corev1.EndpointAddress, ip net.IP, ready bool) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{
		Addresses:  []string{ip.String()},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		TargetRef:  a.TargetRef,
		NodeName:   a.NodeName,
	}
	if a.Hostname != "" {
		e.Hostname = &a.Hostname
	}
	return e
}

func portsOf(given []corev1.EndpointPort) []discoveryv1.EndpointPort {
	ports := make([]discoveryv1.EndpointPort, 0, len(given))
	for i := range given {
		p := &given[i]
		ports = append(ports, discoveryv1.EndpointPort{Name: &p.Name, Port: &p.Port, Protocol: &p.Protocol, AppProtocol: p.AppProtocol})
	}
	return ports
}
