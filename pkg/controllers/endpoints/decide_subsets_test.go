// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func podLike(name string, change func(*corev1.Pod), ips ...string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: "uid-x"},
		Spec:       corev1.PodSpec{NodeName: "node"},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
	for _, ip := range ips {
		p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: ip})
	}
	if len(ips) > 0 {
		p.Status.PodIP = ips[0]
	}
	if change != nil {
		change(p)
	}
	return p
}

// summary describes subsets as "ready|not ready|ports", sorted.
func summary(all []corev1.EndpointSubset) []string {
	list := []string{}
	for _, s := range all {
		var ready, notReady, ports []string
		for _, a := range s.Addresses {
			ready = append(ready, a.IP)
		}
		for _, a := range s.NotReadyAddresses {
			notReady = append(notReady, a.IP)
		}
		for _, p := range s.Ports {
			ports = append(ports, fmt.Sprintf("%s%d", p.Name, p.Port))
		}
		slices.Sort(ports)
		list = append(list, strings.Join(ready, " ")+"|"+strings.Join(notReady, " ")+"|"+strings.Join(ports, " "))
	}
	slices.Sort(list)
	return list
}

// TestPhases is the table of what a pod's state makes of its address.
func TestPhases(t *testing.T) {
	now := metav1.Now()
	const absent, isReady, isNot = "", "1.1.1.1||http0", "|1.1.1.1|http0"
	for _, phase := range []corev1.PodPhase{corev1.PodRunning, corev1.PodPending, corev1.PodUnknown, corev1.PodFailed, corev1.PodSucceeded} {
		for _, ready := range []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionUnknown, ""} {
			for _, leaving := range []bool{false, true} {
				for _, publish := range []bool{false, true} {
					want := isNot
					switch {
					case phase == corev1.PodFailed, phase == corev1.PodSucceeded, leaving && !publish:
						want = absent
					case publish, ready == corev1.ConditionTrue:
						want = isReady
					}
					p := podLike("p", func(p *corev1.Pod) {
						p.Status.Phase = phase
						p.Status.Conditions[0].Status = ready
						if ready == "" {
							p.Status.Conditions = nil
						}
						if leaving {
							p.DeletionTimestamp = &now
						}
					}, "1.1.1.1")
					s := serviceLike(func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = publish })
					if got := strings.Join(summary(subsetsOf(s, []*corev1.Pod{p})), ";"); got != want {
						t.Errorf("%s, ready %q, leaving %v, publish %v: %q, want %q", phase, ready, leaving, publish, got, want)
					}
				}
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	families := func(list ...corev1.IPFamily) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.IPFamilies = list }
	}
	clusterIP := func(ip string) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.ClusterIP = ip }
	}
	for _, test := range []struct {
		name    string
		service func(*corev1.Service)
		pod     *corev1.Pod
		want    string
	}{
		{"IPv4", families(corev1.IPv4Protocol), podLike("p", nil, "1.1.1.1"), "1.1.1.1"},
		{"IPv4 of both", families(corev1.IPv4Protocol, corev1.IPv6Protocol), podLike("p", nil, "fd00::1", "1.1.1.1"), "1.1.1.1"},
		{"IPv6 of both", families(corev1.IPv6Protocol, corev1.IPv4Protocol), podLike("p", nil, "1.1.1.1", "fd00::1"), "fd00::1"},
		{"IPv6 of both, first", families(corev1.IPv6Protocol), podLike("p", nil, "fd00::1", "1.1.1.1"), "fd00::1"},
		{"no IPv6", families(corev1.IPv6Protocol), podLike("p", nil, "1.1.1.1"), ""},
		{"of the cluster IP", clusterIP("fd00::9"), podLike("p", nil, "1.1.1.1", "fd00::1"), "fd00::1"},
		{"of the cluster IP, IPv4", clusterIP("10.0.0.1"), podLike("p", nil, "fd00::1", "1.1.1.1"), "1.1.1.1"},
		{"headless: of the pod", clusterIP(corev1.ClusterIPNone), podLike("p", nil, "fd00::1", "1.1.1.1"), "fd00::1"},
		{"without any: of the pod", clusterIP(""), podLike("p", nil, "1.1.1.1", "fd00::1"), "1.1.1.1"},
		{"irregular", families(corev1.IPv4Protocol), podLike("p", nil, "010.001.1.1"), "10.1.1.1"},
		{"long", families(corev1.IPv6Protocol), podLike("p", nil, "fd00:0:0::0001"), "fd00::1"},
		{"no address", families(corev1.IPv4Protocol), podLike("p", nil), ""},
		{"only the single field", families(corev1.IPv4Protocol), podLike("p", func(p *corev1.Pod) { p.Status.PodIP = "1.1.1.1" }), ""},
		{"none at all", families(corev1.IPv4Protocol), podLike("p", nil, "what"), ""},
	} {
		s := serviceLike(test.service)
		s.Spec.Ports = []corev1.ServicePort{{Name: "http"}}
		got := ""
		if all := subsetsOf(s, []*corev1.Pod{test.pod}); len(all) > 0 {
			got = all[0].Addresses[0].IP
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAddressFields(t *testing.T) {
	named := func(subdomain string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = "host", subdomain }
	}
	for _, test := range []struct {
		subdomain, want string
	}{{"web", "host"}, {"other", ""}, {"", ""}} {
		p := podLike("p", named(test.subdomain), "1.1.1.1")
		got, _ := addressOf(serviceLike(nil), p)
		want := corev1.EndpointAddress{
			IP: "1.1.1.1", Hostname: test.want, NodeName: ptr.To("node"),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "n", Name: "p", UID: "uid-x"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPodWithoutNode(t *testing.T) {
	got, found := addressOf(serviceLike(nil), podLike("p", func(p *corev1.Pod) { p.Spec.NodeName = "" }, "1.1.1.1"))
	if !found || got.NodeName != nil {
		t.Errorf("%v, %v", got, found)
	}
}

func TestPorts(t *testing.T) {
	port := func(name string, number int32, protocol corev1.Protocol) []corev1.ContainerPort {
		return []corev1.ContainerPort{{Name: name, ContainerPort: number, Protocol: protocol}}
	}
	always := ptr.To(corev1.ContainerRestartPolicyAlways)
	pods := func() []*corev1.Pod {
		return []*corev1.Pod{
			podLike("a", func(p *corev1.Pod) {
				p.UID = "a"
				p.Spec.Containers = []corev1.Container{{Ports: port("main", 8080, corev1.ProtocolTCP)}, {Ports: port("main", 1, corev1.ProtocolTCP)}}
				p.Spec.InitContainers = []corev1.Container{
					{Ports: port("init", 2, corev1.ProtocolTCP)},
					{Ports: port("side", 3, corev1.ProtocolTCP), RestartPolicy: always},
					{Ports: port("main", 4, corev1.ProtocolTCP), RestartPolicy: always},
				}
			}, "1.1.1.1"),
			podLike("b", func(p *corev1.Pod) {
				p.UID = "b"
				p.Spec.Containers = []corev1.Container{{Ports: port("main", 9090, corev1.ProtocolTCP)}, {Ports: port("dns", 53, corev1.ProtocolUDP)}}
			}, "1.1.1.2"),
		}
	}
	service := func(ports ...corev1.ServicePort) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.Ports = ports }
	}
	to := func(name, target string, protocol corev1.Protocol) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Protocol: protocol, TargetPort: intstr.Parse(target)}
	}
	for _, test := range []struct {
		name    string
		service func(*corev1.Service)
		want    []string
	}{
		{"by number", service(to("x", "80", "TCP")), []string{"1.1.1.1 1.1.1.2||x80"}},
		{"by name", service(to("x", "main", "TCP")), []string{"1.1.1.1||x8080", "1.1.1.2||x9090"}},
		{"by name with another protocol", service(to("x", "main", "UDP")), []string{}},
		{"by a name that one pod has", service(to("x", "dns", "UDP")), []string{"1.1.1.2||x53"}},
		{"of a container that runs on", service(to("x", "side", "TCP")), []string{"1.1.1.1||x3"}},
		{"of a container that comes first only", service(to("x", "init", "TCP")), []string{}},
		{"two", service(to("x", "80", "TCP"), to("y", "81", "TCP")), []string{"1.1.1.1 1.1.1.2||x80 y81"}},
		{"one of two", service(to("x", "80", "TCP"), to("y", "dns", "UDP")), []string{"1.1.1.1 1.1.1.2||x80", "1.1.1.2||y53"}},
		{"the same number of all protocols", service(to("a", "53", "TCP"), to("b", "53", "UDP"), to("c", "53", "SCTP")), []string{"1.1.1.1 1.1.1.2||a53 b53 c53"}},
		{"headless without ports", func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.Ports = corev1.ClusterIPNone, nil }, []string{"1.1.1.1 1.1.1.2||"}},
		{"without ports", service(), []string{}},
		{"without ports and address", func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.Ports = "", nil }, []string{}},
	} {
		if diff := cmp.Diff(test.want, summary(subsetsOf(serviceLike(test.service), pods()))); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	s := serviceLike(func(s *corev1.Service) { s.Spec.Ports[0].AppProtocol = ptr.To("h2c") })
	if got := subsetsOf(s, pods()); len(got) != 1 || *got[0].Ports[0].AppProtocol != "h2c" {
		t.Errorf("with an application protocol: %v", got)
	}
}
