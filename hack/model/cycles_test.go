// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"testing"

	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// warmUp fills what is allocated once: pools, maps, buffers.
const warmUp = cycles / 5

// TestThousandCycles takes every controller through many starts, restarts and
// stops. What the process holds afterwards is what it held before.
func TestThousandCycles(t *testing.T) {
	plane := shared.Plane(t)
	testkit.NoLeaks(t)
	w := &walker{t: t, draw: rand.New(rand.NewPCG(1, 1)), cfg: plane.ManagerConfig(), clock: clock.RealClock{}}
	host, err := url.Parse(w.cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	w.weather = newWeather(t, host.Host)
	w.cfg.Host = "https://" + w.weather.l.Addr().String()
	// The informers stay, so that what a controller leaves on them would show.
	const all = "reload: {probation: 0s}\ninformers: {linger: 1h}\n"
	w.subject = w.open(all)
	defer w.subject.close()
	cycle := func(n int) {
		for _, text := range []string{
			all + "controllers: {baseline: None}\n",
			all + fmt.Sprintf("controllers: {namespace-controller: {syncPeriod: %dm}}\n", 1+n%2),
			all + fmt.Sprintf("featureGates: {PodDeletionCost: %v}\n", n%2 == 0),
		} {
			if err := w.subject.Apply(w.load(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range warmUp {
		cycle(n)
	}
	before := w.measure()
	for n := range cycles {
		cycle(n)
	}
	after := w.measure()
	t.Logf("before %+v, after %+v", before, after)
	if before.leases == 0 {
		t.Error("no informer is leased")
	}
	if after.goroutines > before.goroutines || after.series != before.series || after.leases != before.leases {
		t.Errorf("after %d cycles %+v, before %+v", cycles, after, before)
	}
	if float64(after.heap) > 1.05*float64(before.heap) {
		t.Errorf("%d bytes of heap after %d cycles, %d before", after.heap, cycles, before.heap)
	}
}

type holdings struct {
	goroutines, series, leases int
	heap                       uint64
}

// measure says what the process holds when all controllers run and rest.
func (w *walker) measure() holdings {
	w.t.Helper()
	var h holdings
	last := -1
	testkit.Eventually(w.t, timeout, func() error {
		s := w.subject.Status().Measured()
		h.leases, h.series = 0, 0
		for _, c := range s.Controllers {
			if c.State != controller.Running {
				return fmt.Errorf("%s is %s", c.Name, c.State)
			}
		}
		for _, i := range s.Informers {
			h.leases += i.Leases
		}
		families, err := w.subject.hub.Gather()
		if err != nil {
			return err
		}
		for _, f := range families {
			h.series += len(f.GetMetric())
		}
		h.goroutines = runtime.NumGoroutine()
		if n := h.goroutines + h.leases; n != last {
			last = n
			return fmt.Errorf("%d goroutines and leases, still changing", n)
		}
		return nil
	})
	for range 3 { // what finalizers free is freed by the next one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.heap = m.HeapAlloc
	return h
}
