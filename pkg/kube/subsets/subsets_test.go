// SPDX-License-Identifier: Apache-2.0

package subsets_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/subsets"
)

// describe writes a subset as "ready|not ready|ports".
func describe(s corev1.EndpointSubset) string {
	var lists [3][]string
	for i, addresses := range [][]corev1.EndpointAddress{s.Addresses, s.NotReadyAddresses} {
		for _, a := range addresses {
			text := a.IP
			if a.TargetRef != nil {
				text += "/" + string(a.TargetRef.UID)
			}
			if a.Hostname != "" {
				text += "=" + a.Hostname
			}
			lists[i] = append(lists[i], text)
		}
	}
	for _, p := range s.Ports {
		lists[2] = append(lists[2], fmt.Sprint(p.Name, p.Port))
	}
	slices.Sort(lists[2]) // by hash, which the test of the order is about
	return strings.Join([]string{strings.Join(lists[0], " "), strings.Join(lists[1], " "), strings.Join(lists[2], " ")}, "|")
}

// parse is the reverse of describe.
func parse(text string) (s corev1.EndpointSubset) {
	parts := strings.Split(text, "|")
	for i, list := range []*[]corev1.EndpointAddress{&s.Addresses, &s.NotReadyAddresses} {
		for word := range strings.FieldsSeq(parts[i]) {
			word, hostname, _ := strings.Cut(word, "=")
			ip, uid, targeted := strings.Cut(word, "/")
			a := corev1.EndpointAddress{IP: ip, Hostname: hostname}
			if targeted {
				a.TargetRef = &corev1.ObjectReference{UID: types.UID(uid)}
			}
			*list = append(*list, a)
		}
	}
	for word := range strings.FieldsSeq(parts[2]) {
		p := corev1.EndpointPort{Name: word[:1]}
		_, _ = fmt.Sscan(word[1:], &p.Port)
		s.Ports = append(s.Ports, p)
	}
	return s
}

func TestCanonical(t *testing.T) {
	for _, test := range []struct {
		name        string
		given, want []string
	}{
		{"nothing", nil, nil},
		{"no addresses", []string{"||a1 b2"}, nil},
		{"no ports", []string{"2 1||"}, []string{"1 2||"}},
		{"in no order", []string{"9 10 1|3 2|a1"}, []string{"1 10 9|2 3|a1"}},
		{"the same address with other ports", []string{"1||a1", "1||b2"}, []string{"1||a1 b2"}},
		{"other addresses with the same port", []string{"1||a1", "2||a1"}, []string{"1 2||a1"}},
		{"other addresses with other ports", []string{"1||a1", "2||b2"}, []string{"1||a1", "2||b2"}},
		{"overlapping", []string{"1 2||a1", "2 3||b2"}, []string{"1 2||a1", "2 3||b2"}},
		{"split and joined", []string{"1 2||a1 b2", "3||a1"}, []string{"1 2 3||a1", "1 2||b2"}},
		{"ports apart because one is not ready there", []string{"1 2||a1", "1|2|b2"}, []string{"1 2||a1", "1|2|b2"}},
		{"not ready beats ready", []string{"1||a1", "|1|a1"}, []string{"|1|a1"}},
		{"not ready beats ready, said first", []string{"|1|a1", "1||a1"}, []string{"|1|a1"}},
		{"said twice", []string{"1 1||a1", "1||a1"}, []string{"1||a1"}},
		{"another target of the same address", []string{"1/y 1/x 1||a1"}, []string{"1 1/x 1/y||a1"}},
		{"the first of two is kept", []string{"1/x=first||a1", "1/x=second||b2"}, []string{"1/x=first||a1 b2"}},
		{"addresses without ports stay beside others", []string{"1||", "2||a1"}, []string{"1||", "2||a1"}},
		{"addresses with and without ports", []string{"1||", "1||a1"}, []string{"1||a1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var given []corev1.EndpointSubset
			for _, text := range test.given {
				given = append(given, parse(text))
			}
			var got []string
			for _, s := range subsets.Canonical(given) {
				got = append(got, describe(s))
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOrder keeps the order that users see: by a hash of the whole item with the
// names of its types, so it must not change by accident.
func TestOrder(t *testing.T) {
	given := []corev1.EndpointSubset{parse("1||a1 b2 c3 d4 e5"), parse("2||a1"), parse("3||b2"), parse("4||c3")}
	want := []string{"1 a1", "1 c3", "1 b2", "1 d4 e5"}
	for range 2 {
		var got []string
		for _, s := range subsets.Canonical(given) {
			text := s.Addresses[0].IP
			for _, p := range s.Ports {
				text += " " + p.Name + fmt.Sprint(p.Port)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		slices.Reverse(given)
		for i := range given {
			slices.Reverse(given[i].Ports)
		}
	}
}

// TestApplicationProtocols are told apart by pointer: of one Service they are the
// same.
func TestApplicationProtocols(t *testing.T) {
	one, other := "h2c", "h2c"
	a, b := parse("1||a1"), parse("2||a1")
	a.Ports[0].AppProtocol, b.Ports[0].AppProtocol = &one, &one
	if got := subsets.Canonical([]corev1.EndpointSubset{a, b}); len(got) != 1 {
		t.Errorf("%d subsets for one pointer", len(got))
	}
	b.Ports[0].AppProtocol = &other
	if got := subsets.Canonical([]corev1.EndpointSubset{a, b}); len(got) != 2 {
		t.Errorf("%d subsets for two pointers", len(got))
	}
}

// FuzzCanonical checks that the form is one: doing it twice, or in another order,
// makes no difference, no address and port is lost or made up, and what was given
// stays as it is.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte{0x11, 0x21, 0x31, 0x92, 0x05}, uint64(1))
	f.Add([]byte{0xff, 0x00, 0x81, 0x01, 0x13, 0x93}, uint64(2))
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		// A byte is an address, whether it is ready, a port or none, and whether a
		// subset ends.
		given := []corev1.EndpointSubset{{}}
		for _, b := range raw {
			s := &given[len(given)-1]
			a := corev1.EndpointAddress{IP: fmt.Sprint(b & 7)}
			if b&8 == 0 {
				s.Addresses = append(s.Addresses, a)
			} else {
				s.NotReadyAddresses = append(s.NotReadyAddresses, a)
			}
			if b&0x30 != 0 {
				s.Ports = append(s.Ports, corev1.EndpointPort{Port: int32(b >> 4 & 3)})
			}
			if b&0xc0 != 0 {
				given = append(given, corev1.EndpointSubset{})
			}
		}
		before := clone(given)
		got := subsets.Canonical(given)
		if diff := cmp.Diff(before, given); diff != "" {
			t.Error("what was given changed:", diff)
		}
		if diff := cmp.Diff(got, subsets.Canonical(got)); diff != "" {
			t.Error("a second time:", diff)
		}
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] }) //nolint:gosec // a test
		if diff := cmp.Diff(got, subsets.Canonical(given)); diff != "" {
			t.Error("in another order:", diff)
		}
		if diff := cmp.Diff(pairs(before), pairs(got)); diff != "" {
			t.Error("addresses and ports:", diff)
		}
	})
}

func clone(list []corev1.EndpointSubset) []corev1.EndpointSubset {
	var all []corev1.EndpointSubset
	for i := range list {
		all = append(all, *list[i].DeepCopy())
	}
	return all
}

// pairs are all addresses with each of their ports and whether they are ready: not
// ready wins, wherever it is said.
func pairs(list []corev1.EndpointSubset) map[string]bool {
	all := map[string]bool{}
	for _, ready := range []bool{true, false} {
		for _, s := range list {
			addresses := s.Addresses
			if !ready {
				addresses = s.NotReadyAddresses
			}
			for _, p := range s.Ports {
				for _, a := range addresses {
					all[fmt.Sprint(a.IP, ":", p.Port)] = ready
				}
			}
		}
	}
	return all
}
