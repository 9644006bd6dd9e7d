// SPDX-License-Identifier: Apache-2.0

package servicecidr_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/servicecidr"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const finalizer = "networking.k8s.io/service-cidr-finalizer"

var shared = testkit.Shared{Options: testkit.Options{
	APIServerArgs: []string{"--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

var ctx = context.Background()

// world is the controller, whose clock is an hour ahead: what has been deleted has
// been so for long.
type world struct {
	*harness.Harness
	t     *testing.T
	ns    string
	clock *clocktesting.FakeClock
	run   *harness.Run
}

func newWorld(t *testing.T) *world {
	h := harness.New(t, shared.Plane(t))
	w := &world{Harness: h, t: t, ns: h.Namespace(), clock: clocktesting.NewFakeClock(time.Now().Add(time.Hour))}
	h.Kit.Clock = w.clock
	return w
}

func (w *world) start() { w.t.Helper(); w.run = w.Start(servicecidr.Descriptor(), nil) }

func (w *world) eventually(check func() error) {
	w.t.Helper()
	// Retries wait for a clock that stands still.
	testkit.Eventually(w.t, harness.Timeout, func() error { w.clock.Step(time.Millisecond); return check() })
}

func (w *world) create(name string, cidrs ...string) *networkingv1.ServiceCIDR {
	w.t.Helper()
	o := &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}}
	o, err := w.Admin.NetworkingV1().ServiceCIDRs().Create(ctx, o, metav1.CreateOptions{})
	w.Must(err)
	return o
}

func (w *world) delete(name string) {
	w.t.Helper()
	w.Must(w.Admin.NetworkingV1().ServiceCIDRs().Delete(ctx, name, metav1.DeleteOptions{}))
}

func (w *world) get(name string) (*networkingv1.ServiceCIDR, error) {
	return w.Admin.NetworkingV1().ServiceCIDRs().Get(ctx, name, metav1.GetOptions{})
}

// says waits until a ServiceCIDR has this condition.
func (w *world) says(name string, status metav1.ConditionStatus, reason, message string) (o *networkingv1.ServiceCIDR) {
	w.t.Helper()
	want := []metav1.Condition{{Type: networkingv1.ServiceCIDRConditionReady, Status: status, Reason: reason, Message: message}}
	w.eventually(func() (err error) {
		if o, err = w.get(name); err != nil {
			return err
		}
		if diff := cmp.Diff(want, o.Status.Conditions, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
			return fmt.Errorf("conditions %s", diff)
		}
		return nil
	})
	return o
}

func (w *world) ready(name string) *networkingv1.ServiceCIDR {
	w.t.Helper()
	return w.says(name, metav1.ConditionTrue, "", "Kubernetes Service CIDR is ready")
}

func (w *world) blocked(name string) {
	w.t.Helper()
	w.says(name, metav1.ConditionFalse, "Terminating",
		"There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR")
}

func (w *world) gone(name string) {
	w.t.Helper()
	w.eventually(func() error {
		o, err := w.get(name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%v, %w", o, err)
	})
}

// service creates a Service of that address, as soon as the API server allocates
// from its range.
func (w *world) service(name, ip string) {
	w.t.Helper()
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 80}}}}
	w.eventually(func() error {
		_, err := w.Admin.CoreV1().Services(w.ns).Create(ctx, s, metav1.CreateOptions{})
		return err
	})
}

// withdraw deletes a Service, whose address is free then.
func (w *world) withdraw(name, ip string) {
	w.t.Helper()
	w.Must(w.Admin.CoreV1().Services(w.ns).Delete(ctx, name, metav1.DeleteOptions{}))
	w.eventually(func() error {
		_, err := w.Admin.NetworkingV1().IPAddresses().Get(ctx, ip, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%s is still there, %w", ip, err)
	})
}

// settled waits until nothing is queued.
func (w *world) settled() (syncs float64) {
	w.t.Helper()
	queue := map[string]string{"name": "ipaddresses"}
	w.eventually(func() error {
		// In this order, so that equal numbers mean that nothing was under way.
		done, _ := w.Metric("workqueue_work_duration_seconds", queue)
		syncs, _ = w.Metric("workqueue_adds_total", queue)
		if done != syncs {
			return fmt.Errorf("%v of %v syncs are done", done, syncs)
		}
		return nil
	})
	return syncs
}

func (w *world) requests() float64 {
	w.t.Helper()
	n, _ := w.Metric("kube_controller_manager_api_requests_total", map[string]string{"verb": "patch", "code": "2xx"})
	return n
}

func TestReady(t *testing.T) {
	w := newWorld(t)
	w.create("before", "172.16.0.0/24", "fd00:16::/112")
	w.start()
	w.create("after", "172.16.1.0/24")
	held, err := w.Admin.NetworkingV1().ServiceCIDRs().Create(ctx, &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.com/hold"}},
		Spec:       networkingv1.ServiceCIDRSpec{CIDRs: []string{"172.16.2.0/24"}},
	}, metav1.CreateOptions{})
	w.Must(err)
	for _, name := range []string{"kubernetes", "before", "after", held.Name} {
		want := []string{finalizer}
		if name == held.Name {
			want = []string{"example.com/hold", finalizer}
		}
		o := w.ready(name)
		if diff := cmp.Diff(want, o.Finalizers, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("%s: finalizers %s", name, diff)
		}
		at := o.Status.Conditions[0].LastTransitionTime.Time
		if since := w.clock.Now().Sub(at); since < -time.Minute || since > time.Minute {
			t.Errorf("%s: changed at %s, which is not the controller's time", name, at)
		}
	}
	before := w.settled()
	requests := w.requests()
	// A change of the object that needs no write sends none.
	_, err = w.Admin.NetworkingV1().ServiceCIDRs().Patch(ctx, "before", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	w.Must(err)
	w.eventually(func() error {
		if w.settled() == before {
			return fmt.Errorf("no sync")
		}
		return nil
	})
	if n := w.requests() - requests; n != 0 {
		t.Errorf("%v requests", n)
	}
	if w.requests() > 8 {
		t.Errorf("%v requests for four objects", w.requests())
	}
	// Somebody else's condition does not stay, nor does the lack of the finalizer.
	_, err = w.Admin.NetworkingV1().ServiceCIDRs().Patch(ctx, "before", types.MergePatchType,
		[]byte(`{"status":{"conditions":[{"type":"Ready","status":"False","reason":"No","message":"no","lastTransitionTime":"2030-01-01T00:00:00Z"}]}}`), metav1.PatchOptions{}, "status")
	w.Must(err)
	_, err = w.Admin.NetworkingV1().ServiceCIDRs().Patch(ctx, "before", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	w.Must(err)
	w.eventually(func() error {
		if o := w.ready("before"); len(o.Finalizers) == 0 {
			return fmt.Errorf("no finalizer")
		}
		return nil
	})

	// Nothing is in use. The finalizers of others stay.
	for _, name := range []string{"before", "after", "held"} {
		w.delete(name)
	}
	w.gone("before")
	w.gone("after")
	w.eventually(func() error {
		o, err := w.get("held")
		if err == nil && len(o.Finalizers) > 1 {
			return fmt.Errorf("finalizers %v", o.Finalizers)
		}
		return err
	})
	_, err = w.Admin.NetworkingV1().ServiceCIDRs().Patch(ctx, "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	w.Must(err)
	w.gone("held")
}

// TestGrace has a clock that hardly moves, so that the time after a deletion does
// not pass by itself.
func TestGrace(t *testing.T) {
	w := newWorld(t)
	w.clock.SetTime(time.Now())
	w.start()
	w.create("idle", "172.17.0.0/24")
	w.ready("idle")
	w.settled()
	later := func() float64 {
		n, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "ipaddresses"})
		return n
	}
	before := later()
	w.delete("idle")
	testkit.Eventually(t, harness.Timeout, func() error {
		if later() == before {
			return fmt.Errorf("nothing was queued for later")
		}
		return nil
	})
	o, err := w.get("idle")
	w.Must(err)
	if rest := o.DeletionTimestamp.Add(10 * time.Second).Sub(w.clock.Now()); rest > 5*time.Second {
		w.clock.Step(rest - 5*time.Second)
	}
	w.settled()
	if _, err := w.get("idle"); err != nil {
		t.Errorf("it went before its time: %v", err)
	}
	w.clock.Step(time.Minute)
	w.gone("idle")
}

func TestInUse(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create("used", "172.18.0.0/24")
	w.ready("used")
	w.service("web", "172.18.0.7")
	w.delete("used")
	w.blocked("used")

	// An address that goes lets it go.
	w.create("other", "172.18.1.0/24")
	w.ready("other")
	w.service("other", "172.18.1.7")
	w.delete("other")
	w.blocked("other")
	w.withdraw("other", "172.18.1.7")
	w.gone("other")

	// So does a range that takes over, and is in the same place then.
	w.blocked("used")
	w.create("larger", "172.18.0.0/16")
	w.gone("used")
	w.delete("larger")
	w.blocked("larger")
	w.withdraw("web", "172.18.0.7")
	w.gone("larger")
}

func TestTwins(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create("first", "172.19.0.0/29")
	w.ready("first")
	for i := 1; i <= 6; i++ {
		w.service(fmt.Sprint("web-", i), fmt.Sprint("172.19.0.", i))
	}
	w.create("second", "172.19.0.0/29")
	w.ready("second")
	w.delete("first")
	w.gone("first")
	w.delete("second")
	w.blocked("second")
	for i := 1; i <= 6; i++ {
		w.withdraw(fmt.Sprint("web-", i), fmt.Sprint("172.19.0.", i))
	}
	w.gone("second")
}

// TestAddressOfSomebody is not allocated by an API server, so it blocks nothing.
func TestAddressOfSomebody(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create("free", "172.20.0.0/24")
	w.ready("free")
	_, err := w.Admin.NetworkingV1().IPAddresses().Create(ctx, &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: "172.20.0.7"},
		Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "namespaces", Name: w.ns}},
	}, metav1.CreateOptions{})
	w.Must(err)
	w.delete("free")
	w.gone("free")
}

// TestWhileStopped has changes that no event tells the next run of.
func TestWhileStopped(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create("used", "172.21.0.0/24")
	w.create("idle", "172.21.1.0/24")
	w.ready("used")
	w.ready("idle")
	w.service("web", "172.21.0.7")
	w.delete("used")
	w.blocked("used")
	w.settled()
	w.run.Stop()
	if _, found := w.Metric("workqueue_depth", map[string]string{"name": "ipaddresses"}); found {
		t.Error("a stopped controller still has metrics")
	}
	w.delete("idle")
	w.withdraw("web", "172.21.0.7")
	w.start()
	w.gone("used")
	w.gone("idle")
	events, err := w.Admin.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=ServiceCIDR"})
	w.Must(err)
	for _, e := range events.Items {
		if e.Source.Component == "service-cidr-controller" {
			t.Error(e.Reason, e.Message)
		}
	}
}
