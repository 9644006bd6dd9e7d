// SPDX-License-Identifier: Apache-2.0

package servicecidr

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func cidr(name string, cidrs ...string) *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Finalizers: []string{finalizer}},
		Spec:       networkingv1.ServiceCIDRSpec{CIDRs: cidrs},
	}
}

func addressCache(t *testing.T, names ...string) informer.Cache[*networkingv1.IPAddress] {
	t.Helper()
	var list []*networkingv1.IPAddress
	for _, name := range names {
		family := "IPv4"
		if netip.MustParseAddr(name).Is6() {
			family = "IPv6"
		}
		list = append(list, &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			networkingv1.LabelManagedBy: allocator, networkingv1.LabelIPAddressFamily: family,
		}}})
	}
	return informer.CacheOf(informer.IPAddresses(), list...)
}

func TestDeletable(t *testing.T) {
	six := []string{"192.168.0.1", "192.168.0.2", "192.168.0.3", "192.168.0.4", "192.168.0.5", "192.168.0.6"}
	own := func(cidrs ...string) *networkingv1.ServiceCIDR { return cidr("own", cidrs...) }
	for _, test := range []struct {
		name      string
		own       *networkingv1.ServiceCIDR
		others    []*networkingv1.ServiceCIDR
		addresses []string
		want      bool
	}{
		{"no addresses", own("10.0.0.0/24"), nil, nil, true},
		{"an address", own("10.0.0.0/24"), nil, []string{"10.0.0.23"}, false},
		{"an address elsewhere", own("10.0.0.0/24"), nil, []string{"10.0.1.23"}, true},
		{"the first address is never allocated", own("10.0.0.0/24"), nil, []string{"10.0.0.0"}, true},
		{"nor is the last", own("10.0.0.0/24"), nil, []string{"10.0.0.255"}, true},
		{"the last but one may be", own("10.0.0.0/24"), nil, []string{"10.0.0.254"}, false},
		{"an address of IPv6", own("fd00::/112"), nil, []string{"fd00::17"}, false},
		{"the first of IPv6 is never allocated", own("fd00::/112"), nil, []string{"fd00::"}, true},
		{"the last of IPv6 may be", own("fd00::/112"), nil, []string{"fd00::ffff"}, false},
		{"the same range twice", own("10.0.0.0/24"), []*networkingv1.ServiceCIDR{cidr("twin", "10.0.0.0/24")}, []string{"10.0.0.23"}, true},
		{"the default range and its twin", own("192.168.0.0/29"), []*networkingv1.ServiceCIDR{cidr("kubernetes", "192.168.0.0/29")}, six, true},
		{"the default range alone", own("192.168.0.0/29"), nil, six, false},
		{"in a larger range", own("10.0.0.0/24"), []*networkingv1.ServiceCIDR{cidr("larger", "10.0.0.0/16")}, []string{"10.0.0.23"}, true},
		{"around a smaller range with the address", own("10.0.0.0/16"), []*networkingv1.ServiceCIDR{cidr("smaller", "10.0.0.0/24")}, []string{"10.0.0.23"}, true},
		{"around a smaller range without the address", own("10.0.0.0/16"), []*networkingv1.ServiceCIDR{cidr("smaller", "10.0.0.0/24")}, []string{"10.0.1.23"}, false},
		{"around a smaller range that cannot give the address", own("10.0.0.0/16"), []*networkingv1.ServiceCIDR{cidr("smaller", "10.0.1.0/24")}, []string{"10.0.1.255"}, false},
		{"beside another range", own("10.0.0.0/24"), []*networkingv1.ServiceCIDR{cidr("next", "10.0.1.0/24")}, []string{"10.0.0.23"}, false},
		{"both families", own("10.0.0.0/24", "fd00::/112"), nil, []string{"fd00::17"}, false},
		{"both families in larger ranges", own("10.0.0.0/24", "fd00::/112"), []*networkingv1.ServiceCIDR{cidr("v4", "10.0.0.0/16"), cidr("v6", "fd00::/64")}, []string{"10.0.0.23", "fd00::17"}, true},
		{"one family in a larger range, an address there", own("10.0.0.0/24", "fd00::/112"), []*networkingv1.ServiceCIDR{cidr("v4", "10.0.0.0/16")}, []string{"10.0.0.23"}, true},
		{"one family in a larger range, an address of the other", own("10.0.0.0/24", "fd00::/112"), []*networkingv1.ServiceCIDR{cidr("v4", "10.0.0.0/16")}, []string{"fd00::17"}, false},
		{"one address of many is in no other range", own("10.0.0.0/16"), []*networkingv1.ServiceCIDR{cidr("smaller", "10.0.0.0/24")}, []string{"10.0.0.1", "10.0.0.2", "10.0.7.1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cidrs := informer.CacheOf(informer.ServiceCIDRs(), append(test.others, test.own)...)
			if got := deletable(test.own, cidrs, addressCache(t, test.addresses...)); got != test.want {
				t.Errorf("deletable: %v", got)
			}
		})
	}
}

// TestAddressesThatDoNotCount are not allocated, or say that they are of a family
// that the range does not have.
func TestAddressesThatDoNotCount(t *testing.T) {
	for _, labels := range []map[string]string{
		nil,
		{networkingv1.LabelIPAddressFamily: "IPv4"},
		{networkingv1.LabelManagedBy: "me", networkingv1.LabelIPAddressFamily: "IPv4"},
		{networkingv1.LabelManagedBy: allocator},
		{networkingv1.LabelManagedBy: allocator, networkingv1.LabelIPAddressFamily: "IPv6"},
	} {
		own := cidr("own", "10.0.0.0/24")
		addresses := informer.CacheOf(informer.IPAddresses(), &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: "10.0.0.23", Labels: labels}})
		if !deletable(own, informer.CacheOf(informer.ServiceCIDRs(), own), addresses) {
			t.Errorf("labels %v", labels)
		}
	}
}

func TestDecide(t *testing.T) {
	deleted := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name      string
		change    func(*networkingv1.ServiceCIDR)
		addresses []string
		now       time.Duration // since the deletion
		want      action
		rest      time.Duration
	}{
		{"new", func(o *networkingv1.ServiceCIDR) { o.DeletionTimestamp, o.Finalizers = nil, []string{"other"} }, nil, 0, protect, 0},
		{"known", func(o *networkingv1.ServiceCIDR) { o.DeletionTimestamp = nil }, nil, 0, keep, 0},
		{"deleted, in use", nil, []string{"10.0.0.1"}, time.Hour, block, 0},
		{"deleted just now", nil, nil, 0, wait, grace},
		{"deleted a while ago", nil, nil, 9999 * time.Millisecond, wait, time.Millisecond},
		{"deleted long enough ago", nil, nil, grace, release, 0},
		{"deleted, not ours to hold", func(o *networkingv1.ServiceCIDR) { o.Finalizers = []string{"other"} }, nil, grace, leave, 0},
	} {
		o := cidr("own", "10.0.0.0/24")
		o.DeletionTimestamp = &metav1.Time{Time: deleted}
		if test.change != nil {
			test.change(o)
		}
		got, rest := decide(o, informer.CacheOf(informer.ServiceCIDRs(), o), addressCache(t, test.addresses...), deleted.Add(test.now))
		if got != test.want || rest != test.rest {
			t.Errorf("%s: %v, %s; want %v, %s", test.name, got, rest, test.want, test.rest)
		}
	}
}

func TestHolds(t *testing.T) {
	for _, test := range []struct {
		prefix, first, last string
		holds, not          []string
	}{
		{"10.0.0.0/24", "10.0.0.0", "10.0.0.255", []string{"10.0.0.1", "10.0.0.254"}, []string{"10.0.0.0", "10.0.0.255", "10.0.1.1", "fd00::1", "::ffff:10.0.0.1"}},
		{"10.0.0.77/20", "10.0.0.0", "10.0.15.255", []string{"10.0.0.77", "10.0.15.254"}, []string{"10.0.0.0", "10.0.15.255"}},
		{"10.0.0.8/31", "10.0.0.8", "10.0.0.9", nil, []string{"10.0.0.8", "10.0.0.9"}},
		{"10.0.0.8/32", "10.0.0.8", "10.0.0.8", nil, []string{"10.0.0.8"}},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", []string{"1.1.1.1"}, []string{"0.0.0.0", "255.255.255.255"}},
		{"fd00::/112", "fd00::", "fd00::ffff", []string{"fd00::1", "fd00::ffff"}, []string{"fd00::", "fd00::1:0", "10.0.0.1"}},
		{"fd00::8/128", "fd00::8", "fd00::8", nil, []string{"fd00::8"}},
	} {
		p := netip.MustParsePrefix(test.prefix)
		if got := last(p); got != netip.MustParseAddr(test.last) {
			t.Errorf("last of %s: %s", p, got)
		}
		for _, addr := range test.holds {
			if !holds(p, netip.MustParseAddr(addr)) {
				t.Errorf("%s does not hold %s", p, addr)
			}
		}
		for _, addr := range test.not {
			if holds(p, netip.MustParseAddr(addr)) {
				t.Errorf("%s holds %s", p, addr)
			}
		}
	}
}

func FuzzLast(f *testing.F) {
	f.Add([]byte{10, 0, 0, 0}, uint8(20))
	f.Add([]byte{253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, uint8(113))
	f.Fuzz(func(t *testing.T, raw []byte, bits uint8) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok || addr.Is4In6() {
			return
		}
		p := netip.PrefixFrom(addr, int(bits)%(addr.BitLen()+1))
		end := last(p)
		next := end.Next()
		if !p.Contains(end) || next.IsValid() && p.Contains(next) {
			t.Errorf("%s ends with %s", p, end)
		}
	})
}

func TestConditions(t *testing.T) {
	o := cidr("own", "10.0.0.0/24")
	for _, want := range []metav1.Condition{ready(), terminating()} {
		if says(o, want) {
			t.Errorf("says %v without a condition", want)
		}
		o.Status.Conditions = []metav1.Condition{want}
		if !says(o, want) {
			t.Errorf("does not say %v", want)
		}
		for i, change := range []func(*metav1.Condition){
			func(c *metav1.Condition) { c.Status = "Unknown" }, func(c *metav1.Condition) { c.Reason += "x" },
			func(c *metav1.Condition) { c.Message += "x" }, func(c *metav1.Condition) { c.Type = "Other" },
		} {
			o.Status.Conditions = []metav1.Condition{want}
			change(&o.Status.Conditions[0])
			if says(o, want) {
				t.Error(fmt.Sprint("change ", i, " makes no difference"))
			}
		}
	}
}
