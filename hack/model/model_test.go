// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

var (
	walks = flag.Int("walks", defaultWalks, "how many random walks are made")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what the walks are drawn from; printed when one fails")
)

var shared = testkit.Shared{}

func TestMain(m *testing.M) {
	flag.Parse()
	// Reflectors and failing runs would fill the test's output.
	klog.SetLogger(logr.Discard())
	os.Exit(shared.Main(m))
}

const (
	walkers = 2
	steps   = 6
	timeout = time.Minute
	head    = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"
)

// TestWalks makes random walks over configurations with mistakes, crashes, lost
// terms, cuts and delays. After each the manager must be like a fresh one.
func TestWalks(t *testing.T) {
	plane := shared.Plane(t)
	testkit.NoLeaks(t) // not even what many changes and crashes leave
	for n := range walkers {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			source := *seed + uint64(n)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("again with: -seed=%d", *seed)
				}
			})
			w := &walker{t: t, draw: rand.New(rand.NewPCG(source, source)), cfg: plane.ManagerConfig()}
			host, err := url.Parse(w.cfg.Host)
			if err != nil {
				t.Fatal(err)
			}
			w.weather = newWeather(t, host.Host)
			w.cfg.Host = "https://" + w.weather.l.Addr().String()
			w.subject = w.open("")
			for i := range *walks / walkers {
				w.trail = nil
				for range steps {
					w.step()
				}
				w.arrive()
				if t.Failed() {
					t.Fatalf("walk %d: %s", i, strings.Join(w.trail, "\n"))
				}
			}
			w.subject.close()
		})
	}
}

// walker walks with one manager.
type walker struct {
	t       *testing.T
	draw    *rand.Rand
	cfg     *rest.Config
	weather *weather
	subject *process
	// clock is that of the processes; nil: each has a swift one.
	clock clock.WithTicker
	// expected is the configuration that must be in effect, before the one that a
	// failure of a run in onTrial returns to.
	expected, before string
	onTrial          map[string]bool
	trail            []string
}

// process is a manager with its clock and stage.
type process struct {
	*manager.Manager
	t     *testing.T
	stage *stage
	hub   *metrics.Hub
	pool  func() *manager.Connection
	end   context.CancelFunc
	done  chan struct{}
	lead  func()
}

// swift is a clock that runs ahead of the real one, so that backoffs are short.
func swift(t *testing.T) clock.WithTicker {
	c := clocktesting.NewFakeClock(time.Now())
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.Step(100 * time.Millisecond)
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return c
}

// open starts a manager on a configuration; it leads.
func (w *walker) open(text string) *process {
	w.t.Helper()
	p := &process{t: w.t, hub: metrics.NewHub(), done: make(chan struct{})}
	var catalog []controller.Descriptor
	p.stage, catalog = newStage(w.t)
	ticks := w.clock
	if ticks == nil {
		ticks = swift(w.t)
	}
	p.Manager = manager.New(manager.Options{
		Catalog: catalog, Hub: p.hub, Logger: logr.Discard(), Clock: ticks,
		Connect: func(c *config.Loaded) (*manager.Connection, error) {
			f, err := client.NewFactoryForConfig(w.cfg, false)
			if err != nil {
				return nil, err
			}
			conn, err := manager.NewConnection(f, c)
			p.pool = func() *manager.Connection { return conn }
			return conn, err
		},
	})
	ctx, end := context.WithCancel(context.Background())
	p.end = end
	go func() { defer close(p.done); p.Run(ctx) }()
	if err := p.Apply(w.load(text)); err != nil {
		w.t.Fatal(err)
	}
	p.begin()
	return p
}

// begin makes the process lead.
func (p *process) begin() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- p.Lead(ctx) }()
	testkit.Eventually(p.t, timeout, func() error {
		if !p.Status().Leading {
			return errors.New("does not lead")
		}
		return nil
	})
	p.lead = func() {
		cancel()
		if err := <-result; err != nil {
			p.t.Errorf("the end of a term: %v", err)
		}
	}
}

func (p *process) close() {
	p.lead()
	p.end()
	<-p.done
	if n := p.hub.Runs(); n != 0 {
		p.t.Errorf("%d metric registries are left", n)
	}
}

func (w *walker) load(text string) *config.Loaded {
	w.t.Helper()
	l, err := config.Load(config.Input{File: "c.yaml", Data: []byte(head + text)})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// step does something to the manager.
func (w *walker) step() {
	switch n := w.draw.IntN(20); {
	case n < 11:
		w.change()
	case n < 13:
		w.mistake()
	case n < 16:
		w.crash()
	case n < 17:
		w.note("new term")
		w.subject.lead()
		w.subject.begin()
		w.onTrial = nil
	default:
		w.turn()
	}
}

func (w *walker) note(format string, args ...any) {
	w.trail = append(w.trail, fmt.Sprintf(format, args...))
}

// text draws a configuration.
func (w *walker) text() string {
	var b strings.Builder
	maybe := func(odds int, format string, args ...any) {
		if w.draw.IntN(odds) == 0 {
			fmt.Fprintf(&b, format, args...)
		}
	}
	fmt.Fprintf(&b, "reload: {stopTimeout: 10m, probation: %s}\n", []string{"0s", "10h"}[w.draw.IntN(2)])
	fmt.Fprintf(&b, "informers: {linger: %s}\n", []string{"0s", "10ms", "30s"}[w.draw.IntN(3)])
	maybe(8, "clientConnection: {qps: %d, useServiceAccountCredentials: %v}\n", 20+w.draw.IntN(2), false)
	maybe(3, "featureGates: {PodDeletionCost: %v}\n", w.draw.IntN(2) == 0)
	b.WriteString("controllers:\n")
	maybe(6, "  baseline: None\n")
	maybe(2, "  deployment-controller: {enabled: %v, workers: %d}\n", w.draw.IntN(2) == 0, 1+w.draw.IntN(3))
	maybe(2, "  namespace-controller: {syncPeriod: %dm}\n", 1+w.draw.IntN(2))
	maybe(2, "  replicaset-controller: {workers: %d}\n", 1+w.draw.IntN(3))
	maybe(2, "  endpointslice-controller: {maxEndpointsPerSlice: %d}\n", 1+w.draw.IntN(2))
	maybe(3, "  serviceaccount-controller: {enabled: %v}\n", w.draw.IntN(2) == 0)
	maybe(3, "  root-ca-certificate-publisher-controller: {enabled: %v}\n", w.draw.IntN(2) == 0)
	return strings.TrimSuffix(b.String(), "controllers:\n")
}

func (w *walker) change() {
	text := w.text()
	w.note("change\n%s", text)
	now := w.load(text)
	if err := w.subject.Apply(now); err != nil {
		w.t.Fatalf("refused: %v", err)
	}
	w.before, w.expected, w.onTrial = w.expected, text, nil
	last := w.subject.Status().History[0]
	if now.Config.Reload.Probation.Duration == 0 {
		return
	}
	w.onTrial = map[string]bool{}
	for _, s := range last.Plan.Steps {
		w.onTrial[s.Controller] = s.Action == plan.Start || s.Action == plan.Restart
	}
}

// mistake gives the manager something that it must refuse as a whole.
func (w *walker) mistake() {
	text := w.text()
	if !strings.Contains(text, "controllers:\n") {
		text += "controllers:\n"
	}
	at := strings.LastIndex(text, "controllers:\n") + len("controllers:\n")
	if strings.Contains(text, "root-ca") {
		return
	}
	text = text[:at] + "  root-ca-certificate-publisher-controller: {enabled: true, rootCAFile: " + refused + "}\n" + text[at:]
	text = strings.Replace(text, "informers: {", "informers: {minResyncPeriod: 13h, ", 1)
	w.note("mistake\n%s", text)
	before := w.subject.Status().Hash
	if err := w.subject.Apply(w.load(text)); err == nil {
		w.t.Error("what cannot be built was applied")
	}
	if now := w.subject.Status().Hash; now != before {
		w.t.Errorf("a refused configuration changed %s to %s", before, now)
	}
}

// crash ends a run with an error or a panic.
func (w *walker) crash() {
	s := w.subject.Status()
	var running []manager.ControllerStatus
	for _, c := range s.Controllers {
		if c.State == controller.Running {
			running = append(running, c)
		}
	}
	if len(running) == 0 {
		return
	}
	victim := running[w.draw.IntN(len(running))]
	crash := w.subject.stage.roles[victim.Name].crash.Load()
	kind := []string{"error", "panic"}[w.draw.IntN(2)]
	w.note("%s of %s, on trial: %v", kind, victim.Name, w.onTrial[victim.Name])
	generation, good := s.Generation, w.before
	(*crash)(fmt.Errorf("%s: %w", kind, errDesign))
	testkit.Eventually(w.t, timeout, func() error {
		for _, c := range w.subject.Status().Controllers {
			if c.Name == victim.Name && c.Run == victim.Run && c.State != controller.Failed {
				return fmt.Errorf("%s has not ended", c.Name)
			}
		}
		return nil
	})
	if w.onTrial[victim.Name] {
		w.expected, w.onTrial = good, nil
		testkit.Eventually(w.t, timeout, func() error {
			if h := w.subject.Status().History[0]; h.Generation == generation || h.Outcome != manager.RolledBack {
				return fmt.Errorf("not taken back: %+v", h.Outcome)
			}
			return nil
		})
	}
}

// turn changes the weather.
func (w *walker) turn() {
	switch w.draw.IntN(4) {
	case 0:
		w.note("restart of the API server")
		w.weather.cut()
	case 1:
		w.note("outage of the API server")
		w.weather.outage(true)
	case 2:
		w.note("slow API server")
		w.weather.slow(5 * time.Millisecond)
	default:
		w.note("fair weather")
		w.weather.fair()
	}
}

// arrive compares the manager with a fresh one.
func (w *walker) arrive() {
	w.t.Helper()
	w.weather.fair()
	fresh := w.open(w.expected)
	defer fresh.close()
	last := ""
	testkit.Eventually(w.t, timeout, func() error {
		want, err := fresh.picture()
		if err != nil {
			return fmt.Errorf("fresh: %w", err)
		}
		got, err := w.subject.picture()
		if err != nil {
			return err
		}
		if last = cmp.Diff(want, got); last != "" {
			return fmt.Errorf("differs from a fresh process (-fresh +walked):\n%s\n%s", last, strings.Join(w.trail, "\n"))
		}
		return nil
	})
}

// picture is what must not depend on the past. The error is what has not settled.
func (p *process) picture() (map[string]string, error) {
	s := p.Status().Measured()
	all := map[string]string{"config": s.Hash}
	for _, c := range s.Controllers {
		sees := ""
		switch c.State {
		case controller.Running:
			seen := p.stage.roles[c.Name].sees.Load()
			if seen == nil {
				return nil, fmt.Errorf("%s has not begun", c.Name)
			}
			sees = *seen
		case controller.Off:
			if n := p.stage.roles[c.Name].living.Load(); n != 0 {
				return nil, fmt.Errorf("%s is off and lives", c.Name)
			}
		default:
			return nil, fmt.Errorf("%s is %s", c.Name, c.State)
		}
		all[c.Name] = fmt.Sprintf("%s %s workers=%d %s", c.State, c.Reason, c.Workers, sees)
	}
	for _, i := range s.Informers {
		if i.Leases > 0 {
			all["informer "+i.Key] = fmt.Sprintf("leases=%d", i.Leases)
		}
	}
	families, err := p.hub.Gather()
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "workqueue_") {
			continue
		}
		var series []string
		for _, m := range f.GetMetric() {
			series = append(series, fmt.Sprint(m.GetLabel()))
		}
		slices.Sort(series)
		all["metric "+f.GetName()] = strings.Join(series, " ")
	}
	return all, nil
}
