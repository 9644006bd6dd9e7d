// SPDX-License-Identifier: Apache-2.0

package servicecidr

import (
	"net/netip"
	"slices"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

const (
	// finalizer keeps a ServiceCIDR until the controller has let it go.
	finalizer = "networking.k8s.io/service-cidr-finalizer"
	// allocator is the manager of the addresses that API servers allocate.
	allocator = "ipallocator.k8s.io"
	// grace is how long a deleted ServiceCIDR stays at least. An API server that
	// has not seen the deletion yet may still allocate from it; after this time
	// its addresses are seen here.
	grace = 10 * time.Second
)

// action is what a ServiceCIDR needs.
type action int

const (
	keep    action = iota // it has the finalizer and should say that it is ready
	protect               // the same, but it lacks the finalizer
	block                 // it should say that it cannot go yet
	wait                  // it may go, after a while
	release               // it may go
	leave                 // it goes by itself
)

// decide says what to do with a ServiceCIDR, and when to look again if it has to
// wait.
func decide(o *networkingv1.ServiceCIDR, cidrs informer.Cache[*networkingv1.ServiceCIDR], addresses informer.Cache[*networkingv1.IPAddress], now time.Time) (action, time.Duration) {
	held := slices.Contains(o.Finalizers, finalizer)
	switch {
	case o.DeletionTimestamp == nil && held:
		return keep, 0
	case o.DeletionTimestamp == nil:
		return protect, 0
	case !deletable(o, cidrs, addresses):
		return block, 0
	}
	if rest := o.DeletionTimestamp.Add(grace).Sub(now); rest > 0 {
		return wait, rest
	}
	if held {
		return release, 0
	}
	return leave, 0
}

// deletable says whether no allocated address would be outside of all
// ServiceCIDRs without this one.
func deletable(o *networkingv1.ServiceCIDR, cidrs informer.Cache[*networkingv1.ServiceCIDR], addresses informer.Cache[*networkingv1.IPAddress]) bool {
	prefixes := informer.PrefixesOf(o)
	orphan := func(p netip.Prefix) bool {
		return !slices.ContainsFunc(cidrs.Around(p), func(other *networkingv1.ServiceCIDR) bool { return other.UID != o.UID })
	}
	// Whatever is in prefixes that are in others' too is so as well.
	if !slices.ContainsFunc(prefixes, orphan) {
		return true
	}
	for _, p := range prefixes {
		for _, address := range addresses.AddressesIn(p) {
			if dependsOn(address, o, prefixes, cidrs) {
				return false
			}
		}
	}
	return true
}

// dependsOn says whether an address is allocated and in no ServiceCIDR but this one.
func dependsOn(address *networkingv1.IPAddress, o *networkingv1.ServiceCIDR, prefixes []netip.Prefix, cidrs informer.Cache[*networkingv1.ServiceCIDR]) bool {
	addr, err := netip.ParseAddr(address.Name)
	if err != nil || !isAllocated(address) {
		return false
	}
	family := address.Labels[networkingv1.LabelIPAddressFamily]
	if !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return family == familyOf(p) }) {
		return false
	}
	in := holders(cidrs, addr)
	return len(in) == 1 && in[0].UID == o.UID
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// isAllocated says whether an API server has allocated the address to a Service.
func isAllocated(o *networkingv1.IPAddress) bool {
	return o.Labels[networkingv1.LabelManagedBy] == allocator
}

// holders are the ServiceCIDRs that an address may be allocated from.
func holders(cidrs informer.Cache[*networkingv1.ServiceCIDR], addr netip.Addr) []*networkingv1.ServiceCIDR {
	around := cidrs.Around(netip.PrefixFrom(addr, addr.BitLen()))
	return slices.DeleteFunc(around, func(o *networkingv1.ServiceCIDR) bool {
		return !slices.ContainsFunc(informer.PrefixesOf(o), func(p netip.Prefix) bool { return holds(p, addr) })
	})
}

// holds says whether an address may be allocated from a prefix, which its first
// address never is, nor the last one of IPv4.
func holds(p netip.Prefix, addr netip.Addr) bool {
	return p.Contains(addr) && p.Masked().Addr() != addr && !(addr.Is4() && last(p) == addr)
}

// last is the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	raw := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(raw); bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(raw) // it is as long as an address
	return addr
}

// The conditions that the controller writes.
func ready() metav1.Condition {
	return metav1.Condition{
		Type: networkingv1.ServiceCIDRConditionReady, Status: metav1.ConditionTrue,
		Message: "Kubernetes Service CIDR is ready",
	}
}

func terminating() metav1.Condition {
	return metav1.Condition{
		Type: networkingv1.ServiceCIDRConditionReady, Status: metav1.ConditionFalse,
		Reason:  networkingv1.ServiceCIDRReasonTerminating,
		Message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
	}
}

// says tells whether a ServiceCIDR has the condition already.
func says(o *networkingv1.ServiceCIDR, want metav1.Condition) bool {
	c := meta.FindStatusCondition(o.Status.Conditions, want.Type)
	return c != nil && c.Status == want.Status && c.Reason == want.Reason && c.Message == want.Message
}
