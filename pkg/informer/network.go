// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	networkinginformers "k8s.io/client-go/informers/networking/v1"
	"k8s.io/client-go/tools/cache"
)

// Names of the indexes that concern networks.
const (
	byPrefix  = "prefix"
	byNetwork = "network"
)

// ServiceCIDRs are indexed by their prefixes and by all networks these are in: see
// Around and Inside.
func ServiceCIDRs() Kind[*networkingv1.ServiceCIDR] {
	return Kind[*networkingv1.ServiceCIDR]{
		resource: networkingv1.SchemeGroupVersion.WithResource("servicecidrs"),
		open:     cluster(networkinginformers.NewServiceCIDRInformer),
		indexes: cache.Indexers{
			byPrefix: func(obj any) (keys []string, err error) {
				for _, p := range PrefixesOf(obj) {
					keys = append(keys, p.String())
				}
				return keys, nil
			},
			byNetwork: func(obj any) (keys []string, err error) {
				for _, p := range PrefixesOf(obj) {
					for bits := p.Bits(); bits >= 0; bits-- {
						keys = append(keys, network(p.Addr(), bits))
					}
				}
				return keys, nil
			},
		},
	}
}

// IPAddresses are indexed by some of the networks they are in: see AddressesIn.
func IPAddresses() Kind[*networkingv1.IPAddress] {
	return Kind[*networkingv1.IPAddress]{
		resource: networkingv1.SchemeGroupVersion.WithResource("ipaddresses"),
		open:     cluster(networkinginformers.NewIPAddressInformer),
		indexes: cache.Indexers{byNetwork: func(obj any) ([]string, error) {
			o, ok := obj.(*networkingv1.IPAddress)
			if !ok {
				return nil, nil
			}
			addr, err := netip.ParseAddr(o.Name)
			if err != nil || addr.Zone() != "" {
				return nil, nil
			}
			keys := []string{network(addr, 0)}
			for bits := coarsest(addr); bits <= addr.BitLen(); bits += 8 {
				keys = append(keys, network(addr, bits))
			}
			return keys, nil
		}},
	}
}

// PrefixesOf are the networks of a ServiceCIDR, without the texts that are none.
func PrefixesOf(obj any) (found []netip.Prefix) {
	o, ok := obj.(*networkingv1.ServiceCIDR)
	if !ok {
		return nil
	}
	for _, text := range o.Spec.CIDRs {
		if p, err := netip.ParsePrefix(text); err == nil {
			found = append(found, p.Masked())
		}
	}
	return found
}

// coarsest is the largest network, whole bytes long, under which an address is
// filed, besides the one of everything: ranges of Services are not larger.
func coarsest(addr netip.Addr) int {
	if addr.Is4() {
		return 8
	}
	return 64
}

// network is the index value of the network of that length around an address.
func network(addr netip.Addr, bits int) string {
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return "" // no caller has a length that does not fit
	}
	return p.String()
}

// Around are the ServiceCIDRs with a prefix that contains this one or equals it.
// The cost is one lookup for each bit of the prefix.
func (c Cache[T]) Around(p netip.Prefix) (found []T) {
	for bits := p.Bits(); bits >= 0; bits-- {
		found = append(found, c.lookup(byPrefix, network(p.Addr(), bits))...)
	}
	return found
}

// Inside are the ServiceCIDRs with a prefix that this one contains or equals.
func (c Cache[T]) Inside(p netip.Prefix) []T { return c.lookup(byNetwork, p.Masked().String()) }

// AddressesIn are the IPAddresses in a network. Addresses are filed under
// networks of whole bytes, so the cost is at most 128 lookups besides the result;
// in a network larger than any range of Services all addresses of the family are
// looked at.
func (c Cache[T]) AddressesIn(p netip.Prefix) (found []T) {
	p = p.Masked()
	if p.Bits() <= coarsest(p.Addr())-8 {
		for _, o := range c.lookup(byNetwork, network(p.Addr(), 0)) {
			if addr, err := netip.ParseAddr(o.GetName()); err == nil && p.Contains(addr) {
				found = append(found, o)
			}
		}
		return found
	}
	filed := (p.Bits() + 7) / 8 * 8
	raw := p.Addr().AsSlice()
	last := &raw[filed/8-1]
	first := *last
	for i := range 1 << (filed - p.Bits()) {
		*last = first + byte(i)
		if addr, ok := netip.AddrFromSlice(raw); ok {
			found = append(found, c.lookup(byNetwork, network(addr, filed))...)
		}
	}
	return found
}
