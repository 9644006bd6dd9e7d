// SPDX-License-Identifier: Apache-2.0

package endpoints_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestContent(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	p := w.Backend("a", func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = "host", "web" }, "10.1.0.1")
	s := w.Service("web", func(s *corev1.Service) {
		s.Labels = map[string]string{"team": "x"}
		s.Spec.Ports[0].AppProtocol = ptr.To("h2c")
	})
	got := w.await("web", shows("10.1.0.1||http/8080/TCP"))
	// The first write of a run names the Service's creation as its trigger.
	if want := stamp(s.CreationTimestamp.Time); trigger(got) != want {
		t.Errorf("trigger %s, want %s", trigger(got), want)
	}
	if len(got.OwnerReferences) != 0 {
		t.Errorf("owners %v", got.OwnerReferences)
	}
	got.ObjectMeta = metav1.ObjectMeta{Labels: got.Labels}
	want := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"team": "x", labelManagedBy: us}},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{
				IP: "10.1.0.1", Hostname: "host", NodeName: ptr.To("node"),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: w.NS, Name: "a", UID: p.UID},
			}},
			Ports: []corev1.EndpointPort{{Name: "http", Port: 8080, Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("h2c")}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.queue().Idle(func() { w.touch("web") })
	if diff := cmp.Diff(map[string]int{"post": 1}, w.Writes()); diff != "" {
		t.Error("requests:", diff)
	}
	w.quiet()
}

func TestNoneFor(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Service("kept-by-hand", func(s *corev1.Service) { s.Spec.Selector = nil })
	w.Service("external", func(s *corev1.Service) {
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
	})
	w.Service("bare-external", func(s *corev1.Service) {
		s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.com"}
	})
	byHand := w.make("kept-by-hand", func(e *corev1.Endpoints) {
		e.Subsets = []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: "10.9.9.9"}}, Ports: []corev1.EndpointPort{{Port: 1}}}}
	})
	w.queue().Idle(func() { w.touch("kept-by-hand"); w.touch("external"); w.touch("bare-external") })
	if got, err := w.get("kept-by-hand"); err != nil || got.ResourceVersion != byHand.ResourceVersion {
		t.Errorf("changed: %v, %v", got, err)
	}
	for _, name := range []string{"external", "bare-external"} {
		if e, err := w.get(name); !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
	w.PatchService("external", `{"spec":{"type":"ClusterIP","externalName":null}}`)
	got := w.await("external", shows("10.1.0.1||http/8080/TCP"))
	if diff := cmp.Diff(map[string]string{labelManagedBy: us}, got.Labels); diff != "" {
		t.Error("labels:", diff)
	}
	// What is there stays when the selector goes, or the type changes back.
	w.queue().Idle(func() { w.PatchService("external", `{"spec":{"selector":null}}`) })
	w.queue().Idle(func() {
		w.PatchService("external", `{"spec":{"type":"ExternalName","externalName":"example.com","selector":{"app":"web"},"clusterIP":null,"clusterIPs":null}}`)
	})
	w.await("external", shows("10.1.0.1||http/8080/TCP"))
}

func TestHeadless(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Backend("b", harness.Unready, "10.1.0.2")
	w.Service("bare", func(s *corev1.Service) { s.Spec.ClusterIP, s.Spec.Ports = corev1.ClusterIPNone, nil })
	w.Service("publishing", func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.PublishNotReadyAddresses = corev1.ClusterIPNone, true
	})
	got := w.await("bare", shows("10.1.0.1|10.1.0.2|"))
	if diff := cmp.Diff(map[string]string{corev1.IsHeadlessService: "", labelManagedBy: us}, got.Labels); diff != "" {
		t.Error("labels:", diff)
	}
	w.await("publishing", shows("10.1.0.1 10.1.0.2||http/8080/TCP"))
	w.DeletePod("b")
	w.await("bare", shows("10.1.0.1||"))
	w.queue().Settles()
	// A leaving pod is published as well, as long as it is there.
	w.await("publishing", shows("10.1.0.1 10.1.0.2||http/8080/TCP"))
}

func TestDualStack(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1", "fd00::1")
	w.Backend("b", func(p *corev1.Pod) { p.Spec.NodeName = "" }, "10.1.0.2") // one that no scheduler knows
	prefer, single := corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicySingleStack
	w.Service("v4-first", func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &prefer })
	w.Service("v6-first", func(s *corev1.Service) {
		s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = &prefer, []corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol}
	})
	w.Service("v6", func(s *corev1.Service) {
		s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = &single, []corev1.IPFamily{corev1.IPv6Protocol}
	})
	w.await("v4-first", shows("10.1.0.1 10.1.0.2||http/8080/TCP"))
	w.await("v6-first", shows("fd00::1||http/8080/TCP"))
	w.await("v6", shows("fd00::1||http/8080/TCP"))
	w.RemovePod("a")
	w.await("v6", shows())
}

func TestChangesOfPods(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Service("web", nil)
	w.await("web", shows("10.1.0.1||http/8080/TCP"))
	since := w.SetReady("a", corev1.ConditionFalse)
	if got := w.await("web", shows("|10.1.0.1|http/8080/TCP")); trigger(got) != stamp(since.Time) {
		t.Errorf("trigger %s, want %s", trigger(got), stamp(since.Time))
	}
	w.queue().Settles()
	before, _ := w.queue().Keys()
	const changes = 20
	for i := range changes {
		p := w.Pod("a")
		p.Annotations = map[string]string{"x": fmt.Sprint(i)}
		_, err := w.Admin.CoreV1().Pods(w.NS).Update(ctx, p, metav1.UpdateOptions{})
		w.Must(err)
	}
	w.SetReady("a", corev1.ConditionTrue) // comes after them
	w.await("web", shows("10.1.0.1||http/8080/TCP"))
	w.queue().Settles()
	// Beside the sync for the last change there may be some that found the cache
	// outdated.
	if after, _ := w.queue().Keys(); after-before > changes/2 {
		t.Errorf("%v syncs for %d changes that do not matter", after-before, changes)
	}
	p := w.Pod("a")
	p.Labels = map[string]string{"app": "other"}
	_, err := w.Admin.CoreV1().Pods(w.NS).Update(ctx, p, metav1.UpdateOptions{})
	w.Must(err)
	// No time is newer, so none is named.
	if got := w.await("web", shows()); trigger(got) != "" {
		t.Errorf("trigger %s", trigger(got))
	}
	w.quiet()
}

func TestChangesOfAService(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Backend("b", nil, "10.1.0.2")
	w.Service("web", func(s *corev1.Service) {
		s.Labels = map[string]string{"team": "x", "tier": "y", corev1.IsHeadlessService: "", labelManagedBy: "me"}
	})
	labelled := func(want map[string]string) func(*corev1.Endpoints) error {
		return func(e *corev1.Endpoints) error {
			if diff := cmp.Diff(want, e.Labels); diff != "" {
				return fmt.Errorf("labels %s", diff)
			}
			return nil
		}
	}
	w.await("web", labelled(map[string]string{"team": "x", "tier": "y", labelManagedBy: us}))
	// Labels of the Service that are not its to give lead to no writes.
	w.queue().Idle(func() { w.touch("web") })
	w.PatchService("web", `{"metadata":{"labels":{"team":"z","tier":null,"new":"1"}}}`)
	w.await("web", labelled(map[string]string{"team": "z", "new": "1", labelManagedBy: us}))

	w.PatchService("web", `{"spec":{"ports":[{"name":"more","port":90,"targetPort":9090}]}}`)
	w.await("web", shows("10.1.0.1 10.1.0.2||http/8080/TCP more/9090/TCP"))
	w.PatchService("web", `{"spec":{"ports":[{"$patch":"delete","port":90}]}}`)
	w.await("web", shows("10.1.0.1 10.1.0.2||http/8080/TCP"))
	w.PatchService("web", `{"spec":{"ports":[{"port":80,"targetPort":1}]}}`)
	w.await("web", shows("10.1.0.1 10.1.0.2||http/1/TCP"))
	w.quiet()
}

func TestProtocols(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Service("web", func(s *corev1.Service) {
		s.Spec.Ports = nil
		for _, p := range []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP} {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: strings.ToLower(string(p)), Port: 53, Protocol: p})
		}
	})
	w.await("web", shows("10.1.0.1||sctp/53/SCTP tcp/53/TCP udp/53/UDP"))
	w.queue().Idle(func() { w.touch("web") })
}

func TestSomebodyElseWrites(t *testing.T) {
	w := newWorld(t)
	w.Service("empty", func(s *corev1.Service) { s.Spec.Selector["app"] = "nobody" })
	empty := w.make("empty", func(e *corev1.Endpoints) { e.Subsets = []corev1.EndpointSubset{} })
	w.start(nil)
	w.Backend("a", nil, "10.1.0.1")
	w.Service("web", nil)
	first := w.await("web", shows("10.1.0.1||http/8080/TCP"))

	// Deleted, they are made anew at once.
	w.Must(w.Admin.CoreV1().Endpoints(w.NS).Delete(ctx, "web", metav1.DeleteOptions{}))
	w.await("web", func(e *corev1.Endpoints) error {
		if e.UID == first.UID {
			return fmt.Errorf("still the old ones")
		}
		return nil
	})

	// Edited, they stay so until the next sync, which keeps what is none of its
	// business.
	e, err := w.get("web")
	w.Must(err)
	e.Subsets[0].Addresses[0].IP = "10.9.9.9"
	e.Annotations = map[string]string{"mine": "yes"}
	_, err = w.Admin.CoreV1().Endpoints(w.NS).Update(ctx, e, metav1.UpdateOptions{})
	w.Must(err)
	w.Eventually(func() error { // the controller's cache may not show the edit at first
		w.touch("web")
		e, err := w.get("web")
		if err != nil {
			return err
		}
		if e.Annotations["mine"] != "yes" {
			t.Errorf("annotations %v", e.Annotations)
		}
		return shows("10.1.0.1||http/8080/TCP")(e)
	})

	// What there is for the Service already is only given the label.
	w.await("empty", func(e *corev1.Endpoints) error {
		if e.Labels[labelManagedBy] != us || e.UID != empty.UID {
			return fmt.Errorf("labels %v of %s", e.Labels, e.UID)
		}
		return nil
	})
	w.queue().Idle(func() { w.touch("empty") })
}

func TestLeftovers(t *testing.T) {
	w := newWorld(t)
	run := w.start(nil)
	w.Service("stays", nil)
	w.Service("goes", nil)
	w.Service("went", nil)
	for _, name := range []string{"stays", "goes", "went"} {
		w.await(name, shows())
	}
	w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "went", metav1.DeleteOptions{}))
	w.gone("went")
	run.Stop()

	w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "goes", metav1.DeleteOptions{}))
	w.make("lock", func(e *corev1.Endpoints) {
		e.Annotations = map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: "{}"}
	})
	w.make("nobodys", nil)
	w.start(nil)
	w.gone("goes")
	w.gone("nobodys")
	w.queue().Settles()
	list, err := w.Admin.CoreV1().Endpoints(w.NS).List(ctx, metav1.ListOptions{})
	w.Must(err)
	names := []string{}
	for _, e := range list.Items {
		names = append(names, e.Name)
	}
	if diff := cmp.Diff([]string{"lock", "stays"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestNamespaceTerminating(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Service("web", nil)
	w.await("web", shows())
	w.Terminate()
	w.queue().Settles()
	retries, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint"})
	posts := w.Writes()["post"]
	w.Must(w.Admin.CoreV1().Endpoints(w.NS).Delete(ctx, "web", metav1.DeleteOptions{}))
	w.Eventually(func() error {
		if w.Writes()["post"] == posts {
			return fmt.Errorf("no attempt to create them")
		}
		return nil
	})
	w.queue().Settles()
	if now, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint"}); now != retries {
		t.Errorf("%v retries", now-retries)
	}
	if n := w.Writes()["post"]; n != posts+1 {
		t.Errorf("%d attempts", n-posts)
	}
	if len(w.events()) > 0 {
		t.Error(slices.Collect(maps.Keys(w.events())))
	}
}
