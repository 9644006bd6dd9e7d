// SPDX-License-Identifier: Apache-2.0

package informer_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func cidr(name string, cidrs ...string) *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}}
}

func sorted[T informer.Object](list []T) []string {
	names := []string{}
	for _, o := range list {
		names = append(names, o.GetName())
	}
	slices.Sort(names)
	return names
}

func TestServiceCIDRsByPrefix(t *testing.T) {
	cidrs := informer.CacheOf(informer.ServiceCIDRs(),
		cidr("v4", "10.0.0.0/16"), cidr("dual", "10.0.1.0/24", "fd00:1::/112"), cidr("twin", "10.0.1.0/24"),
		cidr("other", "10.1.0.0/16"), cidr("v6", "fd00::/16"), cidr("strange", "no prefix"), cidr("unmasked", "192.168.0.9/24"))
	for _, test := range []struct {
		prefix         string
		around, inside []string
	}{
		{"10.0.1.0/24", []string{"dual", "twin", "v4"}, []string{"dual", "twin"}},
		{"10.0.0.0/16", []string{"v4"}, []string{"dual", "twin", "v4"}},
		{"10.0.0.0/8", []string{}, []string{"dual", "other", "twin", "v4"}},
		{"10.0.1.7/32", []string{"dual", "twin", "v4"}, []string{}},
		{"0.0.0.0/0", []string{}, []string{"dual", "other", "twin", "unmasked", "v4"}},
		{"fd00:1::5/128", []string{"dual", "v6"}, []string{}},
		{"::/0", []string{}, []string{"dual", "v6"}},
		{"192.168.0.0/24", []string{"unmasked"}, []string{"unmasked"}},
	} {
		p := netip.MustParsePrefix(test.prefix)
		if diff := cmp.Diff(test.around, sorted(cidrs.Around(p))); diff != "" {
			t.Errorf("around %s: %s", p, diff)
		}
		if diff := cmp.Diff(test.inside, sorted(cidrs.Inside(p))); diff != "" {
			t.Errorf("inside %s: %s", p, diff)
		}
	}
}

// FuzzAddressesIn compares the lookup with a walk over all addresses.
func FuzzAddressesIn(f *testing.F) {
	for _, bits := range []uint8{0, 1, 7, 8, 9, 20, 24, 29, 31, 32, 56, 57, 64, 65, 112, 120, 128} {
		f.Add([]byte{10, 0, 0, 1, 10, 0, 7, 255, 10, 128, 0, 1, 192, 168, 1, 1}, bits)
		f.Add([]byte{253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 253, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7}, bits)
	}
	f.Fuzz(func(t *testing.T, raw []byte, bits uint8) {
		size := 4 + 12*(len(raw)%2)
		var all []*networkingv1.IPAddress
		known := map[netip.Addr]bool{}
		for chunk := range slices.Chunk(raw, size) {
			if addr, ok := netip.AddrFromSlice(chunk); ok && !known[addr] {
				known[addr] = true
				all = append(all, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: addr.String()}})
			}
		}
		if len(all) == 0 {
			return
		}
		first := netip.MustParseAddr(all[0].Name)
		p := netip.PrefixFrom(first, int(bits)%(first.BitLen()+1))
		var want []*networkingv1.IPAddress
		for addr := range known {
			if p.Contains(addr) {
				want = append(want, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: addr.String()}})
			}
		}
		if diff := cmp.Diff(sorted(want), sorted(informer.CacheOf(informer.IPAddresses(), all...).AddressesIn(p))); diff != "" {
			t.Errorf("%s: %s", p, diff)
		}
	})
}

func TestAddressesThatAreNone(t *testing.T) {
	kind := informer.IPAddresses()
	for _, name := range []string{"a", "fe80::1%eth0"} {
		c := informer.CacheOf(kind, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: name}})
		for _, p := range []string{"0.0.0.0/0", "::/0"} {
			if got := c.AddressesIn(netip.MustParsePrefix(p)); len(got) != 0 {
				t.Error(fmt.Sprint(name, " is found in ", p))
			}
		}
	}
}
