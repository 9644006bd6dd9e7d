// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func serviceLike(change func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "web"}, Spec: corev1.ServiceSpec{
		ClusterIP: "10.0.0.1",
		Ports:     []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}},
	}}
	if change != nil {
		change(s)
	}
	return s
}

func subset(ready, notReady int) corev1.EndpointSubset {
	return corev1.EndpointSubset{
		Addresses: make([]corev1.EndpointAddress, ready), NotReadyAddresses: make([]corev1.EndpointAddress, notReady),
		Ports: []corev1.EndpointPort{{Port: 1}},
	}
}

func TestLabels(t *testing.T) {
	for _, test := range []struct {
		name      string
		clusterIP string
		labels    map[string]string
		want      map[string]string
	}{
		{"none", "10.0.0.1", nil, map[string]string{labelManagedBy: managedBy}},
		{"the Service's", "10.0.0.1", map[string]string{"a": "b"}, map[string]string{"a": "b", labelManagedBy: managedBy}},
		{"headless", corev1.ClusterIPNone, nil, map[string]string{corev1.IsHeadlessService: "", labelManagedBy: managedBy}},
		{"without an address", "", nil, map[string]string{corev1.IsHeadlessService: "", labelManagedBy: managedBy}},
		{"says it is headless", "10.0.0.1", map[string]string{corev1.IsHeadlessService: "x"}, map[string]string{labelManagedBy: managedBy}},
		{"says it is headless in another way", corev1.ClusterIPNone, map[string]string{corev1.IsHeadlessService: "x"}, map[string]string{corev1.IsHeadlessService: "", labelManagedBy: managedBy}},
		{"says who manages it", "10.0.0.1", map[string]string{labelManagedBy: "x"}, map[string]string{labelManagedBy: managedBy}},
	} {
		s := serviceLike(func(s *corev1.Service) { s.Spec.ClusterIP, s.Labels = test.clusterIP, test.labels })
		before := maps.Clone(test.labels)
		if diff := cmp.Diff(test.want, labelsFor(s)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if diff := cmp.Diff(before, s.Labels); diff != "" {
			t.Errorf("%s: the Service changed: %s", test.name, diff)
		}
	}
}

func TestAnnotations(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 600, time.FixedZone("east", 3600))
	const stamped = "2030-01-02T02:04:05.0000006Z"
	for _, test := range []struct {
		name    string
		current map[string]string
		changed time.Time
		ready   int
		want    map[string]string
	}{
		{"stamped", nil, at, 1, map[string]string{corev1.EndpointsLastChangeTriggerTime: stamped}},
		{"no newer time", map[string]string{corev1.EndpointsLastChangeTriggerTime: "x", "mine": "y"}, time.Time{}, 1, map[string]string{"mine": "y"}},
		{"too many", nil, at, 1001, map[string]string{corev1.EndpointsLastChangeTriggerTime: stamped, corev1.EndpointsOverCapacity: "truncated"}},
		{"older value", map[string]string{corev1.EndpointsOverCapacity: "warning"}, time.Time{}, 1001, map[string]string{corev1.EndpointsOverCapacity: "truncated"}},
		{"enough room", map[string]string{corev1.EndpointsOverCapacity: "warning"}, time.Time{}, 1000, map[string]string{}},
		{"enough room again", map[string]string{corev1.EndpointsOverCapacity: "truncated"}, time.Time{}, 1, map[string]string{}},
		{"invalid value", map[string]string{corev1.EndpointsOverCapacity: "invalid"}, time.Time{}, 1, map[string]string{}},
	} {
		current := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Annotations: test.current}}
		before := current.DeepCopy()
		got := desiredFor(serviceLike(nil), []corev1.EndpointSubset{subset(test.ready, 0)}, current, test.changed)
		if diff := cmp.Diff(test.want, got.Annotations); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if diff := cmp.Diff(before, current); diff != "" {
			t.Errorf("%s: the stored object changed: %s", test.name, diff)
		}
	}
}

func TestWhatNeedsNoWrite(t *testing.T) {
	address := func(ip, uid, version string) corev1.EndpointAddress {
		return corev1.EndpointAddress{IP: ip, TargetRef: &corev1.ObjectReference{UID: "uid-" + "x", Name: uid, ResourceVersion: version}}
	}
	base := func(change func(*corev1.Endpoints)) *corev1.Endpoints {
		e := &corev1.Endpoints{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{labelManagedBy: managedBy}},
			Subsets: []corev1.EndpointSubset{{
				Addresses: []corev1.EndpointAddress{address("1", "a", ""), address("2", "b", "")},
				Ports:     []corev1.EndpointPort{{Port: 1}},
			}},
		}
		if change != nil {
			change(e)
		}
		return e
	}
	for _, test := range []struct {
		name   string
		stored *corev1.Endpoints
		want   bool
	}{
		{"the same", base(nil), true},
		{"another order", base(func(e *corev1.Endpoints) {
			a := e.Subsets[0].Addresses
			a[0], a[1] = a[1], a[0]
		}), true},
		{"packed in another way", base(func(e *corev1.Endpoints) {
			s := e.Subsets[0]
			s.Addresses, e.Subsets[0].Addresses = s.Addresses[1:], s.Addresses[:1]
			e.Subsets = append(e.Subsets, s)
		}), true},
		{"another version of the target", base(func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0] = address("1", "a", "7") }), true},
		{"stamped otherwise", base(func(e *corev1.Endpoints) {
			e.Annotations = map[string]string{corev1.EndpointsLastChangeTriggerTime: "x", "mine": "y"}
		}), true},
		{"empty lists", base(func(e *corev1.Endpoints) { e.Subsets[0].NotReadyAddresses = []corev1.EndpointAddress{} }), true},
		{"another target", base(func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0] = address("1", "c", "") }), false},
		{"an address less", base(func(e *corev1.Endpoints) { e.Subsets[0].Addresses = e.Subsets[0].Addresses[:1] }), false},
		{"no subsets", base(func(e *corev1.Endpoints) { e.Subsets = nil }), false},
		{"another label", base(func(e *corev1.Endpoints) { e.Labels["a"] = "b" }), false},
		{"the label that it must not have", base(func(e *corev1.Endpoints) { e.Labels[corev1.IsHeadlessService] = "" }), false},
		{"written by somebody", base(func(e *corev1.Endpoints) { e.Labels = nil }), false},
		{"said to be too many", base(func(e *corev1.Endpoints) {
			e.Annotations = map[string]string{corev1.EndpointsOverCapacity: "truncated"}
		}), false},
	} {
		if got := isCurrent(test.stored, base(nil)); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	empty := func(e *corev1.Endpoints) { e.Subsets = nil }
	if !isCurrent(base(func(e *corev1.Endpoints) { e.Subsets = []corev1.EndpointSubset{} }), base(empty)) {
		t.Error("an empty list is not the same as none")
	}
}
