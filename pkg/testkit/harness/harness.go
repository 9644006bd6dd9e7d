// SPDX-License-Identifier: Apache-2.0

// Package harness runs controllers in tests the way the manager does: each with
// its own service account under RBAC, on shared informers with the manager's
// identity, with a registry of its own.
package harness

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/ktesting"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// Timeout is how long tests wait for what must happen.
const Timeout = 30 * time.Second

// Harness stands in for the manager.
type Harness struct {
	// Admin may do everything and is not rate limited.
	Admin kubernetes.Interface
	// AdminConfig is the configuration behind Admin.
	AdminConfig *rest.Config
	// Kit is what controllers are built from; tests may change it before Start.
	Kit controller.Kit
	// Requests counts what the informers ask for.
	Requests *testkit.Counter

	t       testing.TB
	ledgers map[string]*client.Ledger
}

// New makes a harness on a plane. The test's end closes its informers.
func New(t testing.TB, plane *testkit.Plane) *Harness {
	t.Helper()
	h := &Harness{AdminConfig: plane.AdminConfig(), Requests: &testkit.Counter{}, t: t, ledgers: map[string]*client.Ledger{}}
	var err error
	h.Admin, err = kubernetes.NewForConfig(h.AdminConfig)
	must(t, err)
	cfg := plane.ManagerConfig()
	cfg.QPS, cfg.Burst = 1000, 2000
	factory, err := client.NewFactoryForConfig(cfg, true)
	must(t, err)
	shared := factory.Root("shared-informers")
	shared.Wrap(h.Requests.Wrap)
	typed, err := kubernetes.NewForConfig(shared)
	must(t, err)
	meta, err := metadata.NewForConfig(shared)
	must(t, err)
	pool := informer.NewPool(informer.Clients{Typed: typed, Metadata: meta}, informer.Options{Resync: 12 * time.Hour, Linger: time.Minute})
	t.Cleanup(pool.Close)
	logger, _ := ktesting.NewTestContext(quiet{t})
	h.Kit = controller.Kit{
		Clients: factory, Pool: pool, Hub: metrics.NewHub(), Gates: feature.Defaults(),
		Logger: logger, Clock: clock.RealClock{}, Metadata: meta, Grace: 5 * time.Second,
	}
	return h
}

// quiet drops what is logged after the test's end, which testing forbids.
type quiet struct{ testing.TB }

// Log is part of testing.TB.
func (q quiet) Log(args ...any) {
	defer func() { _ = recover() }()
	q.TB.Log(args...)
}

// Run is a controller that the harness started.
type Run struct {
	*controller.Instance

	t    testing.TB
	stop context.CancelFunc
	done chan struct{}
	err  error
}

// Start runs a controller on the default configuration, changed by configure
// (which may be nil), and waits until it is Running. The test's end stops it.
func (h *Harness) Start(d controller.Descriptor, configure func(*v1beta1.Controllers)) *Run {
	h.t.Helper()
	r := h.Launch(d, configure)
	testkit.Eventually(h.t, Timeout, func() error {
		select {
		case <-r.done:
			return fmt.Errorf("%s ended: %v", d.Name, r.err)
		default:
		}
		if s := r.State(); s != controller.Running {
			return fmt.Errorf("%s is %s", d.Name, s)
		}
		return nil
	})
	return r
}

// Launch is Start without the wait.
func (h *Harness) Launch(d controller.Descriptor, configure func(*v1beta1.Controllers)) *Run {
	h.t.Helper()
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	if configure != nil {
		configure(&c)
	}
	ledger := h.ledgers[d.Name]
	if ledger == nil {
		ledger = client.NewLedger()
		h.ledgers[d.Name] = ledger
	}
	instance, err := controller.Build(d, h.Kit, &c, ledger)
	must(h.t, err)
	ctx, stop := context.WithCancel(context.Background())
	r := &Run{Instance: instance, t: h.t, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = instance.Run(ctx)
	}()
	h.t.Cleanup(r.Stop)
	return r
}

// Stop stops the controller, waits until its Run has returned, and fails the
// test when it does not, or returned an error. More calls do nothing.
func (r *Run) Stop() {
	r.t.Helper()
	r.stop()
	select {
	case <-r.done:
		if r.err != nil {
			r.t.Errorf("%s: %v", r.Name, r.err)
			r.err = nil
		}
	case <-time.After(Timeout):
		r.t.Errorf("%s did not stop within %s", r.Name, Timeout)
	}
}

// Healthy waits until the controller says that it is well, or that it is not.
func (r *Run) Healthy(want bool) {
	r.t.Helper()
	testkit.Eventually(r.t, Timeout, func() error {
		if err := r.Health(); (err == nil) != want {
			return fmt.Errorf("health of %s: %v", r.Name, err)
		}
		return nil
	})
}

// Must ends the test when there is an error.
func (h *Harness) Must(err error) {
	h.t.Helper()
	must(h.t, err)
}

// Eventually waits until check returns nil, and ends the test when that takes
// longer than Timeout.
func (h *Harness) Eventually(check func() error) {
	h.t.Helper()
	testkit.Eventually(h.t, Timeout, check)
}

// Namespace creates a namespace with a random name and a default ServiceAccount,
// so that pods are admitted. It is left to the plane's end.
func (h *Harness) Namespace() string {
	h.t.Helper()
	ctx := context.Background()
	ns, err := h.Admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	must(h.t, err)
	_, err = h.Admin.CoreV1().ServiceAccounts(ns.Name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) { // the controller under test may create it
		must(h.t, err)
	}
	return ns.Name
}

// Metric is the value of one series of a run or of the process: a counter's, a
// gauge's, or a histogram's count; and whether it exists.
func (h *Harness) Metric(name string, labels map[string]string) (float64, bool) {
	h.t.Helper()
	families, err := h.Kit.Hub.Gather()
	must(h.t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	series:
		for _, m := range f.GetMetric() {
			found := map[string]string{}
			for _, l := range m.GetLabel() {
				found[l.GetName()] = l.GetValue()
			}
			for k, v := range labels {
				if found[k] != v {
					continue series
				}
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()), true
		}
	}
	return 0, false
}

// Writes is how many requests that change something the controllers have sent, by
// method.
func (h *Harness) Writes() map[string]int {
	h.t.Helper()
	all := map[string]int{}
	for _, verb := range []string{"post", "put", "patch", "delete"} {
		for _, code := range []string{"2xx", "4xx", "5xx", "error"} {
			if n, _ := h.Metric("kube_controller_manager_api_requests_total", map[string]string{"verb": verb, "code": code}); n > 0 {
				all[verb] += int(n)
			}
		}
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
