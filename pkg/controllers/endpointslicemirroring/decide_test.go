// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
)

func TestWanted(t *testing.T) {
	for _, test := range []struct {
		name string
		meta metav1.ObjectMeta
		want bool
	}{
		{"plain", metav1.ObjectMeta{}, true},
		{"to be skipped", metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelSkipMirror: "true"}}, false},
		{"another value", metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelSkipMirror: "True"}}, true},
		{"no value", metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelSkipMirror: ""}}, true},
		{"an election's", metav1.ObjectMeta{Annotations: map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: ""}}, false},
	} {
		if got := wanted(&corev1.Endpoints{ObjectMeta: test.meta}); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func addresses(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "10.0.%d.%d ", i/250, i%250+1)
	}
	return b.String()
}

func TestContent(t *testing.T) {
	for _, test := range []struct {
		name             string
		subsets          []string
		limit            int
		want             []string
		skipped, invalid int
	}{
		{"nothing", nil, 9, []string{}, 0, 0},
		{"no addresses", []string{"||80"}, 9, []string{}, 0, 0},
		{"no ports", []string{"1.1.1.1||"}, 9, []string{"IPv4: 1.1.1.1||"}, 0, 0},
		{"one", []string{"1.1.1.1|1.1.1.2|80 81"}, 9, []string{"IPv4: 1.1.1.1|1.1.1.2|80 81"}, 0, 0},
		{"one address, other ports", []string{"1.1.1.1||80", "1.1.1.1||81"}, 9, []string{"IPv4: 1.1.1.1||80 81"}, 0, 0},
		{"other addresses, other ports", []string{"1.1.1.1||80", "1.1.1.2||81"}, 9, []string{"IPv4: 1.1.1.1||80", "IPv4: 1.1.1.2||81"}, 0, 0},
		{"other addresses, one port", []string{"1.1.1.1||80", "1.1.1.2||80"}, 9, []string{"IPv4: 1.1.1.1 1.1.1.2||80"}, 0, 0},
		{"both families", []string{"1.1.1.1 fd00::1|fd00::2|80", "1.1.1.2||81"}, 9, []string{"IPv4: 1.1.1.1||80", "IPv4: 1.1.1.2||81", "IPv6: fd00::1|fd00::2|80"}, 0, 0},
		{"an IPv4 address in the form of the other", []string{"::ffff:1.1.1.1||80"}, 9, []string{"IPv4: 1.1.1.1||80"}, 0, 0},
		{"irregular", []string{"010.001.1.1 fd00:0::1||80"}, 9, []string{"IPv4: 10.1.1.1||80", "IPv6: fd00::1||80"}, 0, 0},
		{"the same address in two forms", []string{"1.1.1.1 1.01.1.1||80"}, 9, []string{"IPv4: 1.1.1.1||80"}, 0, 0},
		{"invalid", []string{"1.1.1.1 what 1.1.1|1.1.1.2 no|80"}, 9, []string{"IPv4: 1.1.1.1|1.1.1.2|80"}, 3, 3},
		{"only invalid", []string{"what||80"}, 9, []string{}, 1, 1},
		{"as many as may be", []string{"1.1.1.1 1.1.1.2|1.1.1.3|80"}, 3, []string{"IPv4: 1.1.1.1 1.1.1.2|1.1.1.3|80"}, 0, 0},
		{"too many that are not ready", []string{"1.1.1.1 1.1.1.2|1.1.1.3 1.1.1.4|80"}, 3, []string{"IPv4: 1.1.1.1 1.1.1.2|1.1.1.3|80"}, 1, 0},
		{"too many", []string{"1.1.1.1 1.1.1.2 1.1.1.3|1.1.1.4|80"}, 2, []string{"IPv4: 1.1.1.1 1.1.1.2||80"}, 2, 0},
		{"too many of both families", []string{"1.1.1.1 1.1.1.2 fd00::1 fd00::2||80"}, 3, []string{"IPv4: 1.1.1.1 1.1.1.2||80", "IPv6: fd00::1||80"}, 1, 0},
		{"too many, some invalid", []string{"1.1.1.1 1.1.1.2 0x 1.1.1.3||80"}, 2, []string{"IPv4: 1.1.1.1 1.1.1.2||80"}, 2, 1},
		{"too many in one of two", []string{"1.1.1.1 1.1.1.2||80", "1.1.1.3||81"}, 1, []string{"IPv4: 1.1.1.1||80", "IPv4: 1.1.1.3||81"}, 1, 0},
		{"1000", []string{addresses(1000) + "||80"}, 1000, nil, 0, 0},
		{"1001", []string{addresses(1001) + "||80"}, 1000, nil, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := parse(test.subsets...)
			before := e.DeepCopy()
			says := contentOf(e, test.limit)
			if says.skipped != test.skipped || says.invalid != test.invalid {
				t.Errorf("%d skipped, %d invalid; want %d, %d", says.skipped, says.invalid, test.skipped, test.invalid)
			}
			got := mirrored(e, test.limit)
			if test.want == nil {
				if len(got) != 1 || len(got[0].Endpoints) != 1000 {
					t.Errorf("%d slices", len(got))
				}
			} else if diff := cmp.Diff(test.want, described(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, e); diff != "" {
				t.Error("the Endpoints changed:", diff)
			}
		})
	}
}

func TestEndpointFields(t *testing.T) {
	target := &corev1.ObjectReference{Kind: "Pod", Namespace: "n", Name: "p", UID: "u", ResourceVersion: "7"}
	e := parse("1.1.1.1 1.1.1.2||80")
	e.Subsets[0].Addresses[0].Hostname = "host"
	e.Subsets[0].Addresses[0].NodeName = ptr.To("node")
	e.Subsets[0].Addresses[0].TargetRef = target
	e.Subsets[0].Ports[0].Name, e.Subsets[0].Ports[0].AppProtocol = "http", ptr.To("h2c")
	got := mirrored(e, 9)
	want := []discoveryv1.Endpoint{
		{
			Addresses: []string{"1.1.1.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
			Hostname: ptr.To("host"), NodeName: ptr.To("node"), TargetRef: target,
		},
		{Addresses: []string{"1.1.1.2"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}},
	}
	if diff := cmp.Diff(want, got[0].Endpoints); diff != "" {
		t.Error(diff)
	}
	ports := []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](80), Protocol: ptr.To(corev1.ProtocolTCP), AppProtocol: ptr.To("h2c")}}
	if diff := cmp.Diff(ports, got[0].Ports); diff != "" {
		t.Error(diff)
	}
}

// TestIdentity has addresses that are the same endpoint, and some that are not.
func TestIdentity(t *testing.T) {
	address := func(ip, hostname, target string) corev1.EndpointAddress {
		a := corev1.EndpointAddress{IP: ip, Hostname: hostname}
		if target != "" {
			a.TargetRef = &corev1.ObjectReference{Namespace: "n", Name: target, UID: "u-" + "x"}
		}
		return a
	}
	e := parse()
	e.Subsets = []corev1.EndpointSubset{{
		Addresses:         []corev1.EndpointAddress{address("1.1.1.1", "a", ""), address("1.1.1.1", "", "p"), address("1.1.1.2", "", "")},
		NotReadyAddresses: []corev1.EndpointAddress{address("1.1.1.02", "", "")},
		Ports:             []corev1.EndpointPort{{Port: 80}},
	}}
	// The last of two that are the same counts.
	if diff := cmp.Diff([]string{"IPv4: 1.1.1.1 1.1.1.1|1.1.1.2|80"}, described(mirrored(e, 9))); diff != "" {
		t.Error(diff)
	}
}
