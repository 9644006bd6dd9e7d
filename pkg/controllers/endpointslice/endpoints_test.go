// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// TestConditions has one pod of each kind behind two Services.
func TestConditions(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "ready", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "unready", ips: []string{"10.1.0.2"}, notReady: true})
	w.pod(pod{name: "ready-leaving", ips: []string{"10.1.0.3"}})
	w.pod(pod{name: "unready-leaving", ips: []string{"10.1.0.4"}, notReady: true})
	w.pod(pod{name: "failed", ips: []string{"10.1.0.5"}, phase: corev1.PodFailed})
	w.pod(pod{name: "starting", notReady: true, phase: corev1.PodPending})
	w.pod(pod{name: "other", ips: []string{"10.1.0.6"}, labels: map[string]string{"app": "other"}})
	// A completed pod's address, and even one in use, may be given to another.
	w.pod(pod{name: "completed", ips: []string{"10.1.0.1"}, phase: corev1.PodSucceeded})
	w.pod(pod{name: "twin", ips: []string{"10.1.0.1"}})
	for _, name := range []string{"ready-leaving", "unready-leaving"} {
		w.DeletePod(name)
	}
	w.Service("strict", nil)
	w.Service("publishing", func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true })
	conditions := func(e discoveryv1.Endpoint) string {
		return fmt.Sprintf("%s ready=%t serving=%t terminating=%t", e.TargetRef.Name, *e.Conditions.Ready, *e.Conditions.Serving, *e.Conditions.Terminating)
	}
	w.AwaitSlices("strict", endpoints(conditions,
		"ready ready=true serving=true terminating=false",
		"twin ready=true serving=true terminating=false",
		"unready ready=false serving=false terminating=false",
		"ready-leaving ready=false serving=true terminating=true",
		"unready-leaving ready=false serving=false terminating=true"))
	w.AwaitSlices("publishing", endpoints(conditions,
		"ready ready=true serving=true terminating=false",
		"twin ready=true serving=true terminating=false",
		"unready ready=true serving=false terminating=false",
		"ready-leaving ready=true serving=true terminating=true",
		"unready-leaving ready=true serving=false terminating=true"))
}

func TestContentOfASlice(t *testing.T) {
	w := newWorld(t)
	w.node("node", "zone-a", "1")
	w.start(nil)
	named := func(o *corev1.Pod) { o.Spec.Hostname, o.Spec.Subdomain = "host", "web" }
	p := w.pod(pod{name: "a", ips: []string{"10.1.0.1"}, change: named})
	s := w.Service("web", func(s *corev1.Service) {
		s.Labels = map[string]string{"team": "x", corev1.IsHeadlessService: "", discoveryv1.LabelManagedBy: "me"}
		s.Spec.Ports[0].AppProtocol = ptr.To("h2c")
	})
	got := w.AwaitSlices("web", sizes(1))[0]
	if !strings.HasPrefix(got.Name, "web-") || got.GenerateName != "web-" {
		t.Errorf("name %s, generated from %s", got.Name, got.GenerateName)
	}
	// The first write of a run names the Service's creation as its trigger.
	trigger := got.Annotations[corev1.EndpointsLastChangeTriggerTime]
	if want := s.CreationTimestamp.UTC().Format(time.RFC3339Nano); trigger != want {
		t.Errorf("trigger %s, want %s", trigger, want)
	}
	got.ObjectMeta = metav1.ObjectMeta{Labels: got.Labels, OwnerReferences: got.OwnerReferences}
	want := discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Labels: map[string]string{"team": "x", discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: ourLabel},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Service", Name: "web", UID: s.UID, Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
			}},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080), Protocol: ptr.To(corev1.ProtocolTCP), AppProtocol: ptr.To("h2c")}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{"10.1.0.1"},
			Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)},
			Hostname:   ptr.To("host"),
			NodeName:   ptr.To("node"),
			Zone:       ptr.To("zone-a"),
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: w.NS, Name: "a", UID: p.UID},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChangesOfServiceAndPod(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	w.Service("web", func(s *corev1.Service) { s.Labels = map[string]string{"team": "x"} })
	w.AwaitSlices("web", sizes(1))
	t.Run("a pod's change is the trigger of the next write", func(t *testing.T) {
		w := w.within(t)
		since := w.SetReady("a", corev1.ConditionFalse)
		w.AwaitSlices("web", func(list []discoveryv1.EndpointSlice) error {
			if e := list[0].Endpoints[0]; *e.Conditions.Ready {
				return fmt.Errorf("still ready")
			}
			if got, want := list[0].Annotations[corev1.EndpointsLastChangeTriggerTime], since.UTC().Format(time.RFC3339Nano); got != want {
				t.Errorf("trigger %s, want %s", got, want)
			}
			return nil
		})
	})
	t.Run("labels follow the Service, reserved ones do not", func(t *testing.T) {
		w := w.within(t)
		for _, reserved := range []string{discoveryv1.LabelManagedBy, discoveryv1.LabelServiceName, corev1.IsHeadlessService} {
			w.idle(func() { w.PatchService("web", `{"metadata":{"labels":{"`+reserved+`":"you"}}}`) })
		}
		w.PatchService("web", `{"metadata":{"labels":{"team":"y","tier":"z"}}}`)
		w.AwaitSlices("web", func(list []discoveryv1.EndpointSlice) error {
			want := map[string]string{"team": "y", "tier": "z", discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: ourLabel}
			if diff := cmp.Diff(want, list[0].Labels); diff != "" {
				return fmt.Errorf("labels %s", diff)
			}
			if trigger, found := list[0].Annotations[corev1.EndpointsLastChangeTriggerTime]; found {
				t.Errorf("trigger %s though no pod and no creation is newer", trigger)
			}
			return nil
		})
	})
	t.Run("a pod's change that no slice shows", func(t *testing.T) {
		w := w.within(t)
		before, _ := w.queue().Keys()
		const changes = 20
		for i := range changes {
			p := w.Pod("a")
			p.Annotations = map[string]string{"x": fmt.Sprint(i)}
			_, err := w.Admin.CoreV1().Pods(w.NS).Update(ctx, p, metav1.UpdateOptions{})
			w.Must(err)
		}
		w.SetReady("a", corev1.ConditionTrue) // comes after it
		w.AwaitSlices("web", endpoints(func(e discoveryv1.Endpoint) string { return fmt.Sprint(*e.Conditions.Ready) }, "true"))
		// Beside the sync for the last change there may be one for an own write that
		// came back too early, or one that found the cache outdated.
		if after, _ := w.queue().Keys(); after-before > changes/2 {
			t.Errorf("%v syncs for %d changes that do not matter", after-before, changes)
		}
	})
	t.Run("a pod that ceases to be selected", func(t *testing.T) {
		w := w.within(t)
		p := w.Pod("a")
		p.Labels = map[string]string{"app": "other"}
		_, err := w.Admin.CoreV1().Pods(w.NS).Update(ctx, p, metav1.UpdateOptions{})
		w.Must(err)
		w.AwaitSlices("web", sizes(0))
	})
}

func TestPorts(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	port := func(n int32) func(*corev1.Pod) {
		return func(o *corev1.Pod) { o.Spec.Containers[0].Ports[0].ContainerPort = n }
	}
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}, change: port(8080)})
	w.pod(pod{name: "b", ips: []string{"10.1.0.2"}, change: port(8080)})
	always := corev1.ContainerRestartPolicyAlways
	w.pod(pod{name: "c", ips: []string{"10.1.0.3"}, change: func(o *corev1.Pod) {
		port(9090)(o)
		o.Spec.InitContainers = []corev1.Container{
			{Name: "first", Image: "nginx", Ports: []corev1.ContainerPort{{Name: "init", ContainerPort: 1}}},
			{Name: "side", Image: "nginx", Ports: []corev1.ContainerPort{{Name: "side", ContainerPort: 2}}, RestartPolicy: &always},
		}
	}})
	byName := func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("http") }
	headless := func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.Ports = corev1.ClusterIPNone, nil
	}
	w.Service("named", byName)
	// Of containers that run before the others, only those that go on have ports to
	// offer. What has no ports is there all the same.
	w.Service("init", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("init") })
	w.Service("side", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("side") })
	w.Service("several", func(s *corev1.Service) {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "z", Port: 1}, corev1.ServicePort{Name: "b", Port: 2}, corev1.ServicePort{Name: "a", Port: 3})
	})
	w.Service("headless", headless)
	for _, s := range w.AwaitSlices("named", sizes(2, 1)) {
		want := int32(8080)
		if len(s.Endpoints) == 1 {
			want = 9090
		}
		if len(s.Ports) != 1 || *s.Ports[0].Port != want {
			t.Errorf("%d endpoints with ports %v", len(s.Endpoints), s.Ports)
		}
	}
	w.AwaitSlices("several", func(list []discoveryv1.EndpointSlice) error {
		if err := sizes(3)(list); err != nil {
			return err
		}
		if len(list[0].Ports) != 4 {
			return fmt.Errorf("ports %v", list[0].Ports)
		}
		return nil
	})
	got := w.AwaitSlices("headless", sizes(3))[0]
	if _, found := got.Labels[corev1.IsHeadlessService]; !found || len(got.Ports) != 0 {
		t.Errorf("labels %v, ports %v", got.Labels, got.Ports)
	}
	w.AwaitSlices("init", sizes(3))
	for _, s := range w.AwaitSlices("side", sizes(2, 1)) {
		if (len(s.Endpoints) == 1) != (len(s.Ports) == 1 && *s.Ports[0].Port == 2) {
			t.Errorf("%d endpoints with ports %v", len(s.Endpoints), s.Ports)
		}
	}
	w.wrote(7, 0, 0)

	// The slices of several ports are compared in every sync, which must leave
	// the cached ones alone: the race detector watches.
	w.idle(func() { w.PatchService("several", `{"metadata":{"annotations":{"x":"y"}}}`) })
}

func TestNoSlicesFor(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Service("selects-nothing", func(s *corev1.Service) { s.Spec.Selector = nil })
	w.Service("external", func(s *corev1.Service) {
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
	})
	w.wrote(0, 0, 0)
	w.PatchService("external", `{"spec":{"type":"ClusterIP","externalName":null}}`)
	w.AwaitSlices("external", sizes(0))
	w.wrote(1, 0, 0)
	// What is there stays when the selector goes.
	w.idle(func() { w.PatchService("external", `{"spec":{"selector":null}}`) })
	w.AwaitSlices("external", sizes(0))
}

func TestPlaceholder(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.Service("web", nil)
	empty := w.AwaitSlices("web", sizes(0))
	if len(empty[0].Ports) != 0 || empty[0].AddressType != discoveryv1.AddressTypeIPv4 {
		t.Errorf("placeholder %v", empty[0])
	}
	w.wrote(1, 0, 0)
	w.idle(func() { w.PatchService("web", `{"metadata":{"annotations":{"x":"y"}}}`) })
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	full := w.AwaitSlices("web", sizes(1))
	w.wrote(1, 1, 0)
	w.RemovePod("a")
	again := w.AwaitSlices("web", sizes(0))
	if n := w.writes(); n[0] != 1 || n[2] != 0 {
		t.Errorf("%v creates, updates and deletes", n)
	}
	if diff := cmp.Diff(names(empty), names(full)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(names(empty), names(again)); diff != "" {
		t.Error(diff)
	}
}

func TestMissingNode(t *testing.T) {
	w := newWorld(t)
	w.node("node", "zone-a", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	w.pod(pod{name: "b", ips: []string{"10.1.0.2"}, node: "late"})
	w.Service("strict", nil)
	w.Service("publishing", func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true })
	zone := func(e discoveryv1.Endpoint) string {
		return fmt.Sprintf("%s %s %s", e.TargetRef.Name, *e.NodeName, ptr.Deref(e.Zone, "nowhere"))
	}
	w.AwaitSlices("strict", endpoints(zone, "a node zone-a"))
	w.AwaitSlices("publishing", endpoints(zone, "a node zone-a", "b late nowhere"))
	w.awaitEvent("strict", fmt.Sprintf("Warning FailedToUpdateEndpointSlices: Error updating Endpoint Slices for Service %s/strict: skipping Pod b for Service %s/strict: Node late Not Found", w.NS, w.NS))
	if n, _ := w.Metric("endpoint_slice_controller_syncs", map[string]string{"result": "error"}); n == 0 {
		t.Error("no sync counts as an error")
	}
	w.node("late", "zone-b", "1")
	w.AwaitSlices("strict", endpoints(zone, "a node zone-a", "b late zone-b"))
}

func TestDualStack(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	prefer, single := corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicySingleStack
	w.Service("both", func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &prefer })
	w.Service("v6", func(s *corev1.Service) {
		s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = &single, []corev1.IPFamily{corev1.IPv6Protocol}
	})
	w.Service("headless", func(s *corev1.Service) {
		s.Spec.IPFamilyPolicy, s.Spec.ClusterIP = &prefer, corev1.ClusterIPNone
	})
	// A placeholder per family.
	w.AwaitSlices("both", sizes(0, 0))
	w.AwaitSlices("v6", sizes(0))
	w.pod(pod{name: "a", ips: []string{"10.1.0.1", "fd00::1"}})
	w.pod(pod{name: "b", ips: []string{"10.1.0.2"}})
	for _, name := range []string{"both", "headless"} {
		w.AwaitSlices(name, endpoints(address, "a 10.1.0.1", "a fd00::1", "b 10.1.0.2"))
	}
	got := w.AwaitSlices("v6", endpoints(address, "a fd00::1"))
	if got[0].AddressType != discoveryv1.AddressTypeIPv6 {
		t.Errorf("address type %s", got[0].AddressType)
	}
	w.PatchService("both", `{"spec":{"ipFamilyPolicy":"SingleStack"}}`)
	w.AwaitSlices("both", endpoints(address, "a 10.1.0.1", "b 10.1.0.2"))
	w.AwaitSlices("both", sizes(2))
}

// TestBatchPeriod has pods change before the period ends, which a clock that stands
// still makes sure of.
func TestBatchPeriod(t *testing.T) {
	w := newWorld(t)
	clock := clocktesting.NewFakeClock(time.Now())
	w.Kit.Clock = clock
	w.node("node", "", "1")
	const period = 2 * time.Second
	w.start(func(c *v1beta1.EndpointSliceController) { c.UpdatesBatchPeriod.Duration = period })
	// The Service's own changes are not delayed.
	w.Service("web", nil)
	w.AwaitSlices("web", sizes(0))
	w.wrote(1, 0, 0)
	// What is queued for later counts as a retry.
	later := func() float64 {
		n, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint_slice"})
		return n
	}
	before := later()
	const pods = 5
	for i := range pods {
		w.pod(pod{name: fmt.Sprint("pod-", i), ips: []string{fmt.Sprint("10.1.0.", i+1)}})
	}
	w.Eventually(func() error { // for each pod, its creation and its status
		if n := later() - before; n < 2*pods {
			return fmt.Errorf("%v changes seen, want %d", n, 2*pods)
		}
		return nil
	})
	w.AwaitSlices("web", sizes(0))
	clock.Step(period)
	w.AwaitSlices("web", sizes(pods))
	w.wrote(1, 1, 0)
}
