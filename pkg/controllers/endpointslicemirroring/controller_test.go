// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring_test

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

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func TestContent(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.service("web", nil)
	e := w.endpoints("web", func(e *corev1.Endpoints) {
		e.Labels = map[string]string{"team": "x"}
		e.Annotations = map[string]string{"note": "y", corev1.EndpointsLastChangeTriggerTime: "2030-01-02T03:04:05Z", corev1.LastAppliedConfigAnnotation: "{}"}
		e.Subsets = []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{
				IP: "10.1.0.1", Hostname: "host", NodeName: ptr.To("node"),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: w.NS, Name: "a", UID: "u", ResourceVersion: "7"},
			}},
			NotReadyAddresses: []corev1.EndpointAddress{{IP: "10.1.0.2"}},
			Ports:             []corev1.EndpointPort{{Name: "http", Port: 8080, AppProtocol: ptr.To("h2c")}},
		}}
	})
	got := w.AwaitSlices("web", shows("10.1.0.1 10.1.0.2|8080"))[0]
	if !strings.HasPrefix(got.Name, "web-") || got.GenerateName != "web-" {
		t.Errorf("name %s, generated from %s", got.Name, got.GenerateName)
	}
	got.ObjectMeta = metav1.ObjectMeta{Labels: got.Labels, Annotations: got.Annotations, OwnerReferences: got.OwnerReferences}
	want := discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{"team": "x", discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: us},
			Annotations: map[string]string{"note": "y"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Endpoints", Name: "web", UID: e.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080), Protocol: ptr.To(corev1.ProtocolTCP), AppProtocol: ptr.To("h2c")}},
		Endpoints: []discoveryv1.Endpoint{
			{
				Addresses: []string{"10.1.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
				Hostname: ptr.To("host"), NodeName: ptr.To("node"),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: w.NS, Name: "a", UID: "u", ResourceVersion: "7"},
			},
			{Addresses: []string{"10.1.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false)}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.queue().Idle(func() { w.touch("web") })
	w.queue().Idle(func() {
		w.patchEndpoints("web", `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"a\":1}"}}}`)
	})
	if n := w.writes(); n != [3]int{1, 0, 0} {
		t.Errorf("%v creates, updates and deletes", n)
	}
	for name, want := range map[string]float64{"num_endpoint_slices": 1, "desired_endpoint_slices": 1, "endpoints_desired": 2} {
		if n, _ := w.Metric("endpoint_slice_mirroring_controller_"+name, nil); n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
}

// TestWhatIsMirrored begins with what there is at the start, and goes on with what
// comes later.
func TestWhatIsMirrored(t *testing.T) {
	w := newWorld(t)
	labelled := func(value string) func(*corev1.Endpoints) {
		return func(e *corev1.Endpoints) { e.Labels = map[string]string{discoveryv1.LabelSkipMirror: value} }
	}
	make := func(prefix string) {
		w.both(prefix+"plain", nil)
		w.service(prefix+"selects", func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "web"} })
		w.endpoints(prefix+"selects", nil)
		w.service(prefix+"empty-selector", func(s *corev1.Service) { s.Spec.Selector = map[string]string{} })
		w.endpoints(prefix+"empty-selector", nil)
		w.service(prefix+"external", func(s *corev1.Service) {
			s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
		})
		w.endpoints(prefix+"external", nil)
		w.endpoints(prefix+"alone", nil)
		w.both(prefix+"skipped", labelled("true"))
		w.both(prefix+"not-skipped", labelled("false"))
		w.both(prefix+"lock", func(e *corev1.Endpoints) {
			e.Annotations = map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: "{}"}
		})
		w.both(prefix+"bare", func(e *corev1.Endpoints) { e.Subsets = nil })
		w.service(prefix+"waits", nil)
	}
	check := func(prefix string) {
		for _, name := range []string{"plain", "empty-selector", "external", "not-skipped"} {
			w.AwaitSlices(prefix+name, shows("10.1.0.1|80"))
		}
		w.queue().Settles()
		for _, name := range []string{"selects", "alone", "skipped", "lock", "bare", "waits"} {
			w.AwaitSlices(prefix+name, shows())
		}
	}
	make("before-")
	w.start(nil)
	make("after-")
	check("before-")
	check("after-")
	if n := w.writes(); n != [3]int{8, 0, 0} {
		t.Errorf("%v creates, updates and deletes", n)
	}
	// The Service may come later.
	w.service("before-alone", nil)
	w.AwaitSlices("before-alone", shows("10.1.0.1|80"))
}

func TestTransitions(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.both("web", nil)
	before := w.AwaitSlices("web", shows("10.1.0.1|80"))
	for _, test := range []struct {
		name         string
		take, giveUs func()
	}{
		{"skipped", func() {
			w.patchEndpoints("web", `{"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}}}`)
		},
			func() {
				w.patchEndpoints("web", `{"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":null}}}`)
			}},
		{"locked", func() {
			w.patchEndpoints("web", `{"metadata":{"annotations":{"control-plane.alpha.kubernetes.io/leader":"{}"}}}`)
		},
			func() {
				w.patchEndpoints("web", `{"metadata":{"annotations":{"control-plane.alpha.kubernetes.io/leader":null}}}`)
			}},
		{"selected", func() { w.PatchService("web", `{"spec":{"selector":{"app":"web"}}}`) },
			func() { w.PatchService("web", `{"spec":{"selector":null}}`) }},
		{"without Service", func() { w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "web", metav1.DeleteOptions{})) },
			func() { w.service("web", nil) }},
		{"without addresses", func() { w.patchEndpoints("web", `{"subsets":null}`) },
			func() {
				w.patchEndpoints("web", `{"subsets":[{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"name":"p80","port":80}]}]}`)
			}},
		{"deleted", func() { w.deleteEndpoints("web") }, func() { w.endpoints("web", nil) }},
	} {
		test.take()
		w.AwaitSlices("web", shows())
		w.queue().Settles()
		test.giveUs()
		after := w.AwaitSlices("web", shows("10.1.0.1|80"))
		if after[0].UID == before[0].UID {
			t.Errorf("%s: the same slice", test.name)
		}
		before = after
	}
	w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "web", metav1.DeleteOptions{}))
	w.deleteEndpoints("web")
	w.AwaitSlices("web", shows())
	w.Eventually(func() error {
		if n, _ := w.Metric("endpoint_slice_mirroring_controller_num_endpoint_slices", nil); n != 0 {
			return fmt.Errorf("%v slices are counted", n)
		}
		return nil
	})
}

func TestPortsAndFamilies(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	of := func(subsets ...corev1.EndpointSubset) func(*corev1.Endpoints) {
		return func(e *corev1.Endpoints) { e.Subsets = subsets }
	}
	w.both("same-address", of(subset("10.1.0.1", 80), subset("10.1.0.1", 81)))
	w.both("nothing-in-common", of(subset("10.1.0.1", 80), subset("10.1.0.2", 81)))
	w.both("same-port", of(subset("10.1.0.1", 80), subset("10.1.0.2", 80)))
	w.both("both-families", of(subset("10.1.0.1 fd00::1", 80, 81), subset("10.1.0.2", 82)))
	w.both("no-ports", of(subset("10.1.0.1")))
	w.AwaitSlices("same-address", shows("10.1.0.1|80 81"))
	w.AwaitSlices("nothing-in-common", shows("10.1.0.1|80", "10.1.0.2|81"))
	w.AwaitSlices("same-port", shows("10.1.0.1 10.1.0.2|80"))
	for _, s := range w.AwaitSlices("both-families", shows("10.1.0.1|80 81", "fd00::1|80 81", "10.1.0.2|82")) {
		if v6 := strings.Contains(s.Endpoints[0].Addresses[0], ":"); v6 != (s.AddressType == discoveryv1.AddressTypeIPv6) {
			t.Errorf("%v in a slice of %s", s.Endpoints, s.AddressType)
		}
	}
	w.AwaitSlices("no-ports", shows("10.1.0.1|"))
	for _, name := range []string{"same-address", "nothing-in-common", "same-port", "both-families", "no-ports"} {
		w.queue().Idle(func() { w.touch(name) })
	}
	// Other ports are written into the slices that are there.
	before := w.AwaitSlices("nothing-in-common", shows("10.1.0.1|80", "10.1.0.2|81"))
	w.patchEndpoints("nothing-in-common", `{"subsets":[{"addresses":[{"ip":"10.1.0.3"}],"ports":[{"port":83}]}]}`)
	after := w.AwaitSlices("nothing-in-common", shows("10.1.0.3|83"))
	if after[0].UID != before[0].UID && after[0].UID != before[1].UID {
		t.Error("the slice is a new one")
	}
}

func TestTooMany(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	many := func(n int) func(*corev1.Endpoints) {
		return func(e *corev1.Endpoints) {
			e.Subsets[0].Addresses = nil
			for i := range n {
				e.Subsets[0].Addresses = append(e.Subsets[0].Addresses, corev1.EndpointAddress{IP: fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)})
			}
		}
	}
	w.both("full", many(1000))
	w.both("too-many", many(1001))
	thousand := func(list []discoveryv1.EndpointSlice) error {
		if len(list) != 1 || len(list[0].Endpoints) != 1000 {
			return fmt.Errorf("%d slices", len(list))
		}
		return nil
	}
	w.AwaitSlices("full", thousand)
	w.AwaitSlices("too-many", thousand)
	w.awaitEvent("too-many", "Warning TooManyAddressesToMirror: A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped")
	if e := w.events("full"); len(e) > 0 {
		t.Error(e)
	}
	w.queue().Idle(func() { w.touch("full") })
}

func TestLimit(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *v1beta1.EndpointSliceMirroringController) { c.MaxEndpointsPerSubset = 2 })
	w.both("web", func(e *corev1.Endpoints) { e.Subsets[0] = subset("10.1.0.1 10.1.0.2 10.1.0.3", 80) })
	w.AwaitSlices("web", shows("10.1.0.1 10.1.0.2|80"))
	w.awaitEvent("web", "Warning TooManyAddressesToMirror: A max of 2 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped")
}

func TestMetadataFollows(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.both("web", nil)
	before := w.AwaitSlices("web", shows("10.1.0.1|80"))
	has := func(labels, annotations map[string]string) func([]discoveryv1.EndpointSlice) error {
		return func(list []discoveryv1.EndpointSlice) error {
			want := map[string]string{discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: us}
			for k, v := range labels {
				want[k] = v
			}
			if diff := cmp.Diff(want, list[0].Labels); diff != "" {
				return fmt.Errorf("labels %s", diff)
			}
			if diff := cmp.Diff(annotations, list[0].Annotations); diff != "" && len(annotations)+len(list[0].Annotations) > 0 {
				return fmt.Errorf("annotations %s", diff)
			}
			return nil
		}
	}
	w.patchEndpoints("web", `{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"}}}`)
	w.AwaitSlices("web", has(map[string]string{"a": "b"}, map[string]string{"c": "d"}))
	w.patchEndpoints("web", `{"metadata":{"labels":{"a":null,"e":"f"},"annotations":{"c":null}}}`)
	w.AwaitSlices("web", has(map[string]string{"e": "f"}, nil))
	// The slice's own labels win, and are no reason to write again and again.
	w.patchEndpoints("web", `{"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":"me","kubernetes.io/service-name":"other","g":"h"}}}`)
	after := w.AwaitSlices("web", has(map[string]string{"e": "f", "g": "h"}, nil))
	w.queue().Idle(func() { w.touch("web") })
	if after[0].UID != before[0].UID {
		t.Error("the slice was replaced")
	}
	if n := w.writes(); n != [3]int{1, 3, 0} {
		t.Errorf("%v creates, updates and deletes", n)
	}
}
