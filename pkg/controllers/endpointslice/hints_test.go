// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// hinted describes an endpoint by its zone and its hints.
func hinted(e discoveryv1.Endpoint) string {
	d := e.TargetRef.Name
	if e.Hints != nil {
		for _, z := range e.Hints.ForZones {
			d += " zone " + z.Name
		}
		for _, n := range e.Hints.ForNodes {
			d += " node " + n.Name
		}
	}
	return d
}

func auto(s *corev1.Service) {
	s.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
}

func (w *world) zones(cpu ...string) {
	for i, c := range cpu {
		w.node("node-"+string(rune('a'+i)), "zone-"+string(rune('a'+i)), c)
	}
}

func TestTrafficDistribution(t *testing.T) {
	w := newWorld(t)
	w.zones("450m", "550m")
	w.node("node-x", "", "1") // makes the annotation impossible, and has no zone
	w.start(nil)
	w.pod(pod{name: "a", node: "node-a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", node: "node-b", ips: []string{"10.1.0.2"}, notReady: true})
	w.pod(pod{name: "x", node: "node-x", ips: []string{"10.1.0.3"}})
	w.Service("web", nil)
	w.AwaitSlices("web", endpoints(hinted, "a", "b", "x"))
	for _, test := range []struct {
		value string
		want  []string
	}{
		{`"PreferClose"`, []string{"a zone zone-a", "b", "x"}},
		{`"PreferSameNode"`, []string{"a zone zone-a node node-a", "b", "x node node-x"}},
		{`"PreferSameZone"`, []string{"a zone zone-a", "b", "x"}},
		{`null`, []string{"a", "b", "x"}},
	} {
		w.PatchService("web", `{"spec":{"trafficDistribution":`+test.value+`}}`)
		w.AwaitSlices("web", endpoints(hinted, test.want...))
		if value := strings.Trim(test.value, `"`); value != "null" {
			if n, _ := w.Metric("endpoint_slice_controller_services_count_by_traffic_distribution", map[string]string{"traffic_distribution": value}); n != 1 {
				t.Errorf("%v Services have %s", n, value)
			}
		}
	}
	// Before the annotation, trafficDistribution counts for nothing.
	w.PatchService("web", `{"spec":{"trafficDistribution":"PreferClose"}}`)
	w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b", "x"))
	w.PatchService("web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-mode":"Auto"}}}`)
	w.AwaitSlices("web", endpoints(hinted, "a", "b", "x"))
	w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4")
	// The older annotation counts too.
	w.PatchService("web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-mode":null}}}`)
	w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b", "x"))
	w.PatchService("web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-aware-hints":"auto"}}}`)
	w.AwaitSlices("web", endpoints(hinted, "a", "b", "x"))
}

func TestAnnotation(t *testing.T) {
	w := newWorld(t)
	w.zones("450m", "550m")
	w.start(nil)
	w.pod(pod{name: "a", node: "node-a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", node: "node-b", ips: []string{"10.1.0.2"}})
	w.Service("web", func(s *corev1.Service) {
		auto(s)
		s.Spec.TrafficDistribution = ptr.To(corev1.ServiceTrafficDistributionPreferSameNode)
	})
	w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b zone zone-b"))
	w.awaitEvent("web", "Normal TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4")
	w.idle(func() { w.PatchService("web", `{"metadata":{"annotations":{"x":"y"}}}`) })

	t.Run("a zone that gets no traffic makes the Service be looked at", func(t *testing.T) {
		w := w.within(t)
		w.node("node-c", "zone-c", "400m")
		w.AwaitSlices("web", endpoints(hinted, "a", "b"))
		w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Insufficient number of endpoints (2 endpoints, 3 zones), addressType: IPv4")
	})
	t.Run("without the annotation", func(t *testing.T) {
		w := w.within(t)
		w.PatchService("web", `{"metadata":{"annotations":{"x":"z"}}}`)
		w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b zone zone-b"))
		w.PatchService("web", `{"spec":{"trafficDistribution":null},"metadata":{"annotations":{"service.kubernetes.io/topology-mode":null}}}`)
		w.AwaitSlices("web", endpoints(hinted, "a", "b"))
		w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Topology Aware Hints has been disabled, addressType: IPv4")
	})
}

// TestHintsAtAStart: a start must not take hints away only because it does not
// know the nodes yet.
func TestHintsAtAStart(t *testing.T) {
	w := newWorld(t)
	w.zones("1", "1")
	w.pod(pod{name: "a", node: "node-a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", node: "node-b", ips: []string{"10.1.0.2"}})
	w.Service("web", auto)
	for range 3 {
		run := w.start(nil)
		w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b zone zone-b"))
		run.Stop()
	}
	for e := range w.events("web") {
		if strings.Contains(e, "Disabled") {
			t.Error(e)
		}
	}
}

func TestTooFewEndpointsForTheZones(t *testing.T) {
	w := newWorld(t)
	w.zones("300m", "400m", "300m")
	w.start(nil)
	w.pod(pod{name: "a", node: "node-a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", node: "node-b", ips: []string{"10.1.0.2"}})
	w.Service("web", auto)
	w.AwaitSlices("web", endpoints(hinted, "a", "b"))
	w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Insufficient number of endpoints (2 endpoints, 3 zones), addressType: IPv4")
	// Each zone should have 2 of 5.
	for i, node := range []string{"node-c", "node-a", "node-a"} {
		w.pod(pod{name: fmt.Sprint("c", i), node: node, ips: []string{fmt.Sprint("10.1.1.", i)}})
	}
	w.AwaitSlices("web", endpoints(hinted, "a", "b", "c0", "c1", "c2"))
	w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (5 endpoints, 3 zones), addressType: IPv4")
}

// TestNodesThatDoNotCount are those of the control plane and those that are not
// ready.
func TestNodesThatDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.zones("1", "1")
	label := func(name, key string) {
		_, err := w.Admin.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"labels":{"`+key+`":""}}}`), metav1.PatchOptions{})
		w.Must(err)
	}
	w.node("control-plane", "zone-c", "1")
	w.node("master", "", "1")
	label("control-plane", "node-role.kubernetes.io/control-plane")
	label("master", "node-role.kubernetes.io/master")
	w.start(nil)
	w.pod(pod{name: "a", node: "node-a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", node: "node-b", ips: []string{"10.1.0.2"}})
	w.Service("web", auto)
	w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b zone zone-b"))
	// Endpoints there count, though.
	w.pod(pod{name: "m", node: "master", ips: []string{"10.1.0.3"}})
	w.pod(pod{name: "n", node: "master", ips: []string{"10.1.0.4"}})
	w.AwaitSlices("web", endpoints(hinted, "a", "b", "m", "n"))
	w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: One or more endpoints do not have a zone specified, addressType: IPv4")
	w.RemovePod("m")
	w.RemovePod("n")
	w.AwaitSlices("web", endpoints(hinted, "a zone zone-a", "b zone zone-b"))
	// A zone whose only node is not ready gets no traffic, nor does it send any.
	n, err := w.Admin.CoreV1().Nodes().Get(ctx, "node-b", metav1.GetOptions{})
	w.Must(err)
	n.Status.Conditions[0].Status = corev1.ConditionUnknown
	_, err = w.Admin.CoreV1().Nodes().UpdateStatus(ctx, n, metav1.UpdateOptions{})
	w.Must(err)
	w.AwaitSlices("web", endpoints(hinted, "a", "b"))
	w.awaitEvent("web", "Warning TopologyAwareHintsDisabled: Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4")
}

// TestSurplus has 16 endpoints in one zone of three.
func TestSurplus(t *testing.T) {
	for _, test := range []struct {
		name string
		cpu  []string
		want string
	}{
		{"desired 5.1, 5.1, 5.8", []string{"5100m", "5100m", "5800m"}, "6 5 5"},
		{"desired 5.0, 5.6, 5.4", []string{"5000m", "5600m", "5400m"}, "5 6 5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.zones(test.cpu...)
			for i := range 16 {
				w.pod(pod{name: fmt.Sprint("pod-", i), node: "node-a", ips: []string{fmt.Sprint("10.1.0.", i+1)}})
			}
			w.start(nil)
			w.Service("web", auto)
			w.AwaitSlices("web", func(list []discoveryv1.EndpointSlice) error {
				if err := sizes(16)(list); err != nil {
					return err
				}
				n := map[string]int{}
				for _, e := range list[0].Endpoints {
					if e.Hints != nil {
						n[e.Hints.ForZones[0].Name]++
					}
				}
				if got := fmt.Sprint(n["zone-a"], n["zone-b"], n["zone-c"]); got != test.want {
					return fmt.Errorf("hints for zones: %s, want %s", got, test.want)
				}
				return nil
			})
		})
	}
}
