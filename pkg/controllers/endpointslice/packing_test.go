// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// TestPacking works with 300 pods, the first 250 of which are app=web.
func TestPacking(t *testing.T) {
	w := newWorld(t)
	w.node("node", "zone-a", "4")
	pods := w.Backends(300, func(i int, p *corev1.Pod) {
		p.Labels["all"] = "yes"
		if i >= 250 {
			delete(p.Labels, "app")
		}
	})
	for _, test := range []struct {
		max   int32
		sizes []int
	}{
		{50, []int{50, 50, 50, 50, 50}},
		{80, []int{80, 80, 80, 10}},
		{150, []int{150, 100}},
		{250, []int{250}},
		{500, []int{250}},
		{100, []int{100, 100, 50}},
	} {
		t.Run(fmt.Sprintf("max %d", test.max), func(t *testing.T) {
			w := w.within(t)
			run := w.start(func(c *v1beta1.EndpointSliceController) { c.MaxEndpointsPerSlice = test.max })
			defer run.Stop()
			s := w.Service(fmt.Sprintf("max-%d", test.max), nil)
			w.AwaitSlices(s.Name, sizes(test.sizes...))
			// Services of the runs before have fuller or emptier slices, which stay.
			w.wrote(len(test.sizes), 0, 0)
		})
	}
	t.Run("another target port rewrites the slices in place", func(t *testing.T) {
		w := w.within(t)
		defer w.start(nil).Stop()
		before, err := w.Slices("max-100")
		w.Must(err)
		w.wrote(0, 0, 0)
		w.PatchService("max-100", `{"spec":{"ports":[{"port":80,"targetPort":9090}]}}`)
		after := w.AwaitSlices("max-100", ported(9090, 100, 100, 50))
		if diff := cmp.Diff(names(before), names(after)); diff != "" {
			t.Error(diff)
		}
		w.wrote(0, 3, 0)
	})
	t.Run("a label of the Service goes to all its slices", func(t *testing.T) {
		w := w.within(t)
		defer w.start(nil).Stop()
		w.wrote(0, 0, 0)
		w.PatchService("max-100", `{"metadata":{"labels":{"x":"y"}}}`)
		w.AwaitSlices("max-100", func(list []discoveryv1.EndpointSlice) error {
			for _, s := range list {
				if s.Labels["x"] != "y" {
					return fmt.Errorf("labels %v", s.Labels)
				}
			}
			return sizes(100, 100, 50)(list)
		})
		w.wrote(0, 3, 0)
	})
	for _, test := range []struct {
		name     string
		pods     int
		existing []int
		sizes    []int
		writes   []int
	}{
		{"partial-62-61", 250, []int{62, 61}, []int{100, 89, 61}, []int{1, 1, 0}},
		{"partial-74-74", 300, []int{74, 74}, []int{100, 74, 74, 52}, []int{2, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.within(t)
			w.prepacked(test.name, pods[:test.pods], test.existing)
			defer w.start(nil).Stop()
			w.AwaitSlices(test.name, sizes(test.sizes...))
			w.wrote(test.writes...)
		})
	}
	t.Run("thin slices are packed by a change", func(t *testing.T) {
		w := w.within(t)
		thin := []int{30, 30, 30, 30, 30, 30, 30, 30, 30, 30}
		w.prepacked("thin", pods, thin)
		defer w.start(nil).Stop()
		w.wrote(0, 0, 0)
		w.AwaitSlices("thin", sizes(thin...))
		w.PatchService("thin", `{"spec":{"ports":[{"port":80,"targetPort":9090}]}}`)
		w.AwaitSlices("thin", ported(9090, 100, 100, 100))
		w.wrote(0, 3, 7)
	})
}

// ported checks the sizes of slices that all have this one port.
func ported(port int32, want ...int) func([]discoveryv1.EndpointSlice) error {
	return func(list []discoveryv1.EndpointSlice) error {
		for _, s := range list {
			if len(s.Ports) != 1 || *s.Ports[0].Port != port {
				return fmt.Errorf("ports %v, want %d", s.Ports, port)
			}
		}
		return sizes(want...)(list)
	}
}

// prepacked makes a Service of these pods, some of which are in slices already.
func (w *world) prepacked(name string, pods []*corev1.Pod, existing []int) {
	w.T.Helper()
	s := w.Service(name, func(s *corev1.Service) {
		if len(pods) == 300 {
			s.Spec.Selector = map[string]string{"all": "yes"}
		}
	})
	for _, n := range existing {
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName:    name + "-",
				Labels:          map[string]string{discoveryv1.LabelServiceName: name, discoveryv1.LabelManagedBy: ourLabel},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s, corev1.SchemeGroupVersion.WithKind("Service"))},
			},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080), Protocol: ptr.To(corev1.ProtocolTCP)}},
		}
		for _, p := range pods[:n] {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
				Addresses:  []string{p.Status.PodIP},
				Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)},
				NodeName:   &p.Spec.NodeName,
				Zone:       ptr.To("zone-a"),
				TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
			})
		}
		pods = pods[n:]
		_, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).Create(ctx, slice, metav1.CreateOptions{})
		w.Must(err)
	}
}
