// SPDX-License-Identifier: Apache-2.0

package manager_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/ktesting"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"

const timeout = 10 * time.Second

// world is a manager over stand-ins for controllers, with a clock that stands
// still unless a test moves it. Nothing is sent anywhere.
type world struct {
	*manager.Manager
	t     *testing.T
	hub   *metrics.Hub
	clock *clocktesting.FakeClock
	parts []manager.Part

	mu    sync.Mutex
	fakes map[string]*fake
}

// fake says how the runs of one controller behave, and what they did.
type fake struct {
	t *testing.T
	// refuse makes New fail.
	refuse error
	// fail makes the next run end with an error; panics makes it panic.
	fail, panics error
	// deaf runs ignore the stop until hear is closed.
	deaf   bool
	hear   chan struct{}
	listen func() // closes hear
	// ill is what the controller says of its health.
	ill error

	mu        sync.Mutex
	section   string // as the last New saw it
	built     int
	ran       int
	living    atomic.Int32
	fails     chan error // ends the present run
	workers   *controller.Workers
	sawWorker int
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) runs() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ran
}

// Health is part of controller.Healthy.
func (f *fake) Health() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ill
}

// Run is part of controller.Controller.
func (f *fake) Run(ctx context.Context) error {
	if f.living.Add(1) > 1 {
		f.t.Error("two runs of one controller at a time")
	}
	defer f.living.Add(-1)
	f.mu.Lock()
	f.ran++
	fail, panics, deaf := f.fail, f.panics, f.deaf
	f.fail, f.panics = nil, nil
	fails := f.fails
	f.mu.Unlock()
	if panics != nil {
		panic(panics)
	}
	if fail != nil {
		return fail
	}
	if deaf {
		<-f.hear
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-fails:
		return err
	}
}

func describe[S any, P interface {
	*S
	v1beta1.Section
}](w *world, name string, gates ...feature.Gate) controller.Descriptor {
	f := &fake{t: w.t, hear: make(chan struct{}), fails: make(chan error)}
	f.listen = sync.OnceFunc(func() { close(f.hear) })
	w.fakes[name] = f
	return controller.Define(controller.Descriptor{Name: name, ServiceAccount: name, Gates: gates}, func(env controller.Env, s P) (controller.Controller, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.built++
		if f.refuse != nil {
			return nil, f.refuse
		}
		f.section, f.workers = fmt.Sprintf("%+v", *s), env.Workers
		return f, nil
	})
}

func newWorld(t *testing.T, parts ...manager.Part) *world {
	t.Helper()
	testkit.NoLeaks(t)
	w := &world{t: t, hub: metrics.NewHub(), clock: clocktesting.NewFakeClock(time.Now()), fakes: map[string]*fake{}, parts: parts}
	logger, _ := ktesting.NewTestContext(t)
	w.Manager = manager.New(manager.Options{
		Catalog: []controller.Descriptor{
			describe[v1beta1.DeploymentController](w, "deployment-controller"),
			describe[v1beta1.NamespaceController](w, "namespace-controller"),
			describe[v1beta1.ReplicaSetController](w, "replicaset-controller", feature.PodDeletionCost),
		},
		Parts: parts, Hub: w.hub, Logger: logger, Clock: w.clock,
		Connect: func(c *config.Loaded) (*manager.Connection, error) {
			if c.Config.ClientConnection.Master == "https://broken" {
				return nil, errors.New("cannot connect")
			}
			f, err := client.NewFactoryForConfig(&rest.Config{Host: "https://127.0.0.1:1"}, false)
			if err != nil {
				return nil, err
			}
			return manager.NewConnection(f, c)
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *world) load(body string) *config.Loaded {
	w.t.Helper()
	l, err := config.Load(config.Input{File: "c.yaml", Data: []byte(head + body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) apply(body string) {
	w.t.Helper()
	if err := w.Apply(w.load(body)); err != nil {
		w.t.Fatal(err)
	}
}

// lead makes the world lead until the test's end, or until the returned
// function is called, which returns what Lead returned.
func (w *world) lead() func() error {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- w.Lead(ctx) }()
	testkit.Eventually(w.t, timeout, func() error {
		if !w.Status().Leading {
			return errors.New("does not lead")
		}
		return nil
	})
	var once sync.Once
	var err error
	stop := func() error {
		once.Do(func() {
			cancel()
			err = <-result
		})
		return err
	}
	w.t.Cleanup(func() {
		for _, f := range w.fakes {
			f.listen()
		}
		_ = stop()
	})
	return stop
}

// advance moves the clock until what has happened.
func (w *world) advance(what func()) {
	w.t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); what() }()
	for end := time.Now().Add(timeout); time.Now().Before(end); {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
			w.clock.Step(time.Second)
		}
	}
	w.t.Fatal("nothing more happened, however far the clock was moved")
}

func (w *world) controller(name string) manager.ControllerStatus {
	for _, c := range w.Status().Controllers {
		if c.Name == name {
			return c
		}
	}
	w.t.Fatalf("no controller %s", name)
	return manager.ControllerStatus{}
}

// expect waits until the controllers have been run that often.
func (w *world) expect(deployment, namespace, replicaset int) {
	w.t.Helper()
	testkit.Eventually(w.t, timeout, func() error {
		got := [3]int{w.fakes["deployment-controller"].runs(), w.fakes["namespace-controller"].runs(), w.fakes["replicaset-controller"].runs()}
		if want := [3]int{deployment, namespace, replicaset}; got != want {
			return fmt.Errorf("runs of deployment, namespace, replicaset: %v, want %v", got, want)
		}
		return nil
	})
}

func (w *world) eventually(what string, check func(manager.Status) bool) {
	w.t.Helper()
	testkit.Eventually(w.t, timeout, func() error {
		if s := w.Status(); !check(s) {
			return fmt.Errorf("%s; status %+v", what, s.Controllers)
		}
		return nil
	})
}
