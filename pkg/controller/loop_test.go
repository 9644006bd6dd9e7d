// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
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

const timeout = 10 * time.Second

type bench struct {
	t      *testing.T
	kit    controller.Kit
	ledger *client.Ledger
	api    *fake.Clientset
}

func newBench(t *testing.T) *bench {
	t.Helper()
	testkit.NoLeaks(t)
	api := fake.NewClientset()
	factory, err := client.NewFactoryForConfig(&rest.Config{Host: "https://127.0.0.1:1"}, false)
	if err != nil {
		t.Fatal(err)
	}
	pool := informer.NewPool(informer.Clients{Typed: api}, informer.Options{})
	t.Cleanup(pool.Close)
	logger, _ := ktesting.NewTestContext(t)
	return &bench{t: t, api: api, ledger: client.NewLedger(), kit: controller.Kit{
		Clients: factory, Pool: pool, Hub: metrics.NewHub(), Gates: feature.Defaults(), Logger: logger, Clock: clock.RealClock{}, Grace: 50 * time.Millisecond,
	}}
}

// run builds a controller from what construct wires on a loop, and runs it. The
// returned function stops it and returns Run's error.
func (b *bench) run(construct func(controller.Env, *controller.Loop)) (*controller.Instance, func() error) {
	b.t.Helper()
	d := controller.Define(controller.Descriptor{Name: "deployment-controller", ServiceAccount: "x"},
		func(env controller.Env, _ *v1beta1.DeploymentController) (controller.Controller, error) {
			l := controller.NewLoop(env)
			construct(env, l)
			return l, nil
		})
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	i, err := controller.Build(d, b.kit, &c, b.ledger)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	var once sync.Once
	var result error
	stop := func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-done:
			case <-time.After(timeout):
				b.t.Error("Run did not return")
			}
		})
		return result
	}
	b.t.Cleanup(func() { _ = stop() })
	return i, stop
}

func (b *bench) await(i *controller.Instance, want controller.State) {
	b.t.Helper()
	testkit.Eventually(b.t, timeout, func() error {
		if got := i.State(); got != want {
			return fmt.Errorf("state %s, want %s", got, want)
		}
		return nil
	})
}

func pod(name, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, ResourceVersion: version}}
}

func (b *bench) create(name, version string) {
	b.t.Helper()
	if _, err := b.api.CoreV1().Pods("ns").Create(context.Background(), pod(name, version), metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// podKeys wires a loop that syncs the names of pods.
func podKeys(sync func(context.Context, string) error, opts controller.QueueOptions[string]) func(controller.Env, *controller.Loop) {
	return func(_ controller.Env, l *controller.Loop) {
		opts.Name, opts.Sync = "pods", sync
		q := controller.NewQueue(l, opts)
		controller.Watch(l, informer.Pods(), controller.Handler[*corev1.Pod]{Add: func(p *corev1.Pod) { q.Add(p.Name) }})
	}
}

func TestNewStartsNothing(t *testing.T) {
	b := newBench(t) // complains about goroutines at the end
	d := controller.Define(controller.Descriptor{Name: "deployment-controller"},
		func(env controller.Env, _ *v1beta1.DeploymentController) (controller.Controller, error) {
			l := controller.NewLoop(env)
			podKeys(nil, controller.QueueOptions[string]{})(env, l)
			return l, nil
		})
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	for range 10 {
		if _, err := controller.Build(d, b.kit, &c, b.ledger); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.kit.Pool.Stats()); n != 0 {
		t.Errorf("%d informers run", n)
	}
	if n := b.kit.Hub.Runs(); n != 0 {
		t.Errorf("%d registries are served", n)
	}
}

func TestKeysAreSyncedAndNothingIsLeft(t *testing.T) {
	b := newBench(t)
	b.create("early", "1")
	seen := make(chan string, 10)
	i, stop := b.run(podKeys(func(_ context.Context, key string) error { seen <- key; return nil }, controller.QueueOptions[string]{}))
	if got := <-seen; got != "early" {
		t.Errorf("synced %s", got)
	}
	b.await(i, controller.Running)
	b.create("late", "2")
	if got := <-seen; got != "late" {
		t.Errorf("synced %s", got)
	}
	if s := b.kit.Pool.Stats(); len(s) != 1 || s[0].Leases != 1 || s[0].Objects != 2 {
		t.Errorf("informers %+v", s)
	}
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if s := b.kit.Pool.Stats(); len(s) != 0 {
		t.Errorf("informers left: %+v", s)
	}
	if n := b.kit.Hub.Runs(); n != 0 {
		t.Errorf("%d registries left", n)
	}
}

func TestPanicsEndTheRunOnly(t *testing.T) {
	for name, construct := range map[string]func(controller.Env, *controller.Loop){
		"sync": podKeys(func(context.Context, string) error { panic("boom") }, controller.QueueOptions[string]{}),
		"handler": func(_ controller.Env, l *controller.Loop) {
			controller.Watch(l, informer.Pods(), controller.Handler[*corev1.Pod]{Add: func(*corev1.Pod) { panic("boom") }})
		},
		"task": func(_ controller.Env, l *controller.Loop) { l.Go(func(context.Context) { panic("boom") }) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.create("p", "1")
			i, stop := b.run(construct)
			b.await(i, controller.Stopping)
			if err := stop(); err == nil || !strings.Contains(err.Error(), "boom") {
				t.Errorf("Run returned %v, want the panic", err)
			}
		})
	}
}

func TestWorkersFollowTheCount(t *testing.T) {
	b := newBench(t)
	var running, most atomic.Int32
	release := make(chan struct{})
	i, _ := b.run(podKeys(func(context.Context, string) error {
		n := running.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		running.Add(-1)
		return nil
	}, controller.QueueOptions[string]{}))
	i.Resize(2)
	for n := range 20 {
		b.create(fmt.Sprint("p", n), fmt.Sprint(n+1))
	}
	wait := func(want int32) {
		t.Helper()
		testkit.Eventually(t, timeout, func() error {
			if n := running.Load(); n != want {
				return fmt.Errorf("%d syncs run, want %d", n, want)
			}
			return nil
		})
	}
	wait(2)
	i.Resize(4)
	wait(4)
	if n := most.Load(); n != 4 {
		t.Errorf("%d syncs at once, want at most 4", n)
	}
	i.Resize(1)
	for range 4 {
		release <- struct{}{}
	}
	wait(1)
	most.Store(0)
	close(release)
	wait(0)
	if n := most.Load(); n > 1 {
		t.Errorf("%d syncs at once after shrinking to 1", n)
	}
}

func TestStopLetsASyncFinish(t *testing.T) {
	b := newBench(t)
	b.kit.Grace = timeout
	b.create("p", "1")
	b.create("q", "2")
	begun, end := make(chan struct{}, 2), make(chan struct{})
	var aborted atomic.Bool
	i, stop := b.run(podKeys(func(ctx context.Context, _ string) error {
		begun <- struct{}{}
		<-end
		aborted.Store(ctx.Err() != nil)
		return errors.New("after the stop nobody retries this")
	}, controller.QueueOptions[string]{Workers: controller.NewWorkers(1)}))
	<-begun
	go func() { b.await(i, controller.Stopping); close(end) }()
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if aborted.Load() {
		t.Error("the sync's context had ended")
	}
	if len(begun) != 0 {
		t.Error("a queued key was synced after the stop")
	}
}

func TestStopCancelsASyncThatTakesTooLong(t *testing.T) {
	b := newBench(t)
	b.create("p", "1")
	begun := make(chan struct{}, 1)
	_, stop := b.run(podKeys(func(ctx context.Context, _ string) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}, controller.QueueOptions[string]{}))
	<-begun
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestResultsOfSync(t *testing.T) {
	b := newBench(t)
	b.create("p", "1")
	var tries atomic.Int32
	gone := make(chan struct{})
	_, _ = b.run(podKeys(func(context.Context, string) error {
		switch tries.Add(1) {
		case 1:
			return controller.RequeueAfter(time.Millisecond)
		case 2, 3, 4: // the first failure and two retries
			return errors.New("no")
		}
		close(gone)
		return nil
	}, controller.QueueOptions[string]{MaxRetries: 2}))
	testkit.Eventually(t, timeout, func() error {
		if n := tries.Load(); n != 4 {
			return fmt.Errorf("%d tries, want 4", n)
		}
		return nil
	})
	select {
	case <-gone:
		t.Error("retried once more than allowed")
	case <-time.After(100 * time.Millisecond):
	}
}

// A cache that has not reached the last write of the previous run would show
// the world before it.
func TestFreshnessBarrier(t *testing.T) {
	b := newBench(t)
	b.create("p", "5")
	b.ledger.Settle(informer.Pods().Resource().GroupResource(), "7")
	synced := make(chan string, 2)
	i, _ := b.run(podKeys(func(_ context.Context, key string) error { synced <- key; return nil }, controller.QueueOptions[string]{}))
	b.await(i, controller.Syncing)
	select {
	case key := <-synced:
		t.Errorf("%s was synced on a stale cache", key)
	case <-time.After(100 * time.Millisecond):
	}
	b.create("q", "7")
	b.await(i, controller.Running)
	if len(synced) == 0 {
		<-synced
	}
}
