// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/trace"
)

// Part is something beside the controllers that a configuration sets up: the
// server, the log, the election.
type Part interface {
	// Prepare builds what the new configuration needs, without an effect. Old
	// is nil the first time. Commit gives it effect; discard gives it up. One
	// of the two is called; both may be nil.
	Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error)
}

// Options of a Manager.
type Options struct {
	Catalog []controller.Descriptor
	Parts   []Part
	Hub     *metrics.Hub
	Logger  klog.Logger
	// Clock is the time of controllers, backoff and probation. Default: the
	// real one.
	Clock clock.WithTicker
	// Connect makes the clients of a configuration. Default: Connect.
	Connect func(*config.Loaded) (*Connection, error)
	// Announce is told of every attempt, in the manager's goroutine; it must not
	// block. Default: nobody is told.
	Announce func(Attempt)
	// Tracer records changes and, for controllers, syncs. Nil records nothing.
	Tracer *trace.Tracer
	// Good is told of every configuration that is in effect and needs no
	// probation any more, in the manager's goroutine; it must not block. Default:
	// nobody is told.
	Good func(*config.Loaded)
}

// Manager runs the controllers of one process.
type Manager struct {
	opts   Options
	posts  chan func()
	ended  chan struct{}
	report *reporter

	// What follows belongs to the goroutine of Run.

	slots map[string]*slot
	// current is the configuration in effect, previous the one before it.
	current, previous *config.Loaded
	conn              *Connection
	leading           bool
	// scope says which controllers may run; nil: all.
	scope func(name string) (bool, string)
	// standby keeps caches warm.
	standby controller.Standby
	// term ends the moment this process must not act any more; every run's
	// context comes from it.
	term context.Context
	// trial is the change on probation, or nil.
	trial *trial
	shown Status

	// snapshot is what other goroutines may read.
	mu       sync.Mutex
	snapshot Status
}

// New makes a manager; it does nothing before Run.
func New(opts Options) *Manager {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Connect == nil {
		opts.Connect = Connect
	}
	if opts.Announce == nil {
		opts.Announce = func(Attempt) {}
	}
	if opts.Good == nil {
		opts.Good = func(*config.Loaded) {}
	}
	m := &Manager{opts: opts, posts: make(chan func()), ended: make(chan struct{}), slots: map[string]*slot{}}
	m.report = newReporter(opts.Hub.Process, opts.Clock)
	opts.Hub.Process.Registerer().MustRegister(newCollector(m.Snapshot))
	for _, d := range opts.Catalog {
		m.slots[d.Name] = newSlot(d, opts.Clock)
	}
	return m
}

// Run works until the context ends. By then nobody may be leading any more.
func (m *Manager) Run(ctx context.Context) {
	defer close(m.ended)
	for {
		select {
		case f := <-m.posts:
			f()
			m.publish()
		case <-ctx.Done():
			m.endTrial()
			m.standby.Cool()
			if m.conn != nil {
				m.conn.Close()
			}
			return
		}
	}
}

// ErrEnded is what requests get when the manager has ended.
var ErrEnded = errors.New("the manager has ended")

// do runs f in the manager's goroutine and returns what it returns.
func (m *Manager) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case m.posts <- func() { result <- f() }:
		return <-result
	case <-m.ended:
		return ErrEnded
	}
}

// post has f run in the manager's goroutine, soon.
func (m *Manager) post(f func()) {
	select {
	case m.posts <- f:
	case <-m.ended:
	}
}

// Apply makes a configuration the one in effect. An error means that nothing
// has changed.
func (m *Manager) Apply(now *config.Loaded) error {
	return m.do(func() error {
		ctx, span := m.opts.Tracer.Reload(context.Background(), now.Hash)
		p, err := m.apply(ctx, now)
		m.record(now, p, err)
		span.End(err)
		return err
	})
}

// Rejected notes a configuration that did not even load.
func (m *Manager) Rejected(err error) {
	m.post(func() { m.rejected("", plan.Plan{}, err) })
}

// FellBack notes that the configuration in effect is the last good one from before
// the start, because the present one is refused.
func (m *Manager) FellBack(why error) {
	m.post(func() {
		m.shown.Fallback = true
		m.report.fallback.Set(1)
		m.rejected("", plan.Plan{}, why)
	})
}

// ErrStuck is what Lead returns when controllers did not stop.
var ErrStuck = errors.New("controllers did not stop in time")

// Lead runs the controllers until the context ends, and returns when all have
// stopped. The end of the context reaches all of them at once, whatever else the
// manager is doing. An error that is ErrStuck means that some have not stopped.
func (m *Manager) Lead(ctx context.Context) error {
	err := m.do(func() error {
		m.leading, m.term = true, ctx
		return m.startAll()
	})
	if err != nil {
		return fmt.Errorf("start controllers: %w", err)
	}
	<-ctx.Done()
	return m.do(m.stopAll)
}

// Debug serves a running controller's own debug page.
func (m *Manager) Debug(name string) http.Handler {
	var h http.Handler
	_ = m.do(func() error {
		if s := m.slots[name]; s != nil && s.run != nil {
			h = s.run.instance.Debug()
		}
		return nil
	})
	return h
}

// startAll starts what the configuration in effect enables. A controller that
// cannot be built any more, since a file it needs is gone, is tried again later;
// the others do not wait for it.
func (m *Manager) startAll() error {
	if m.current == nil {
		return errors.New("no configuration is in effect")
	}
	p := plan.Compute(m.opts.Catalog, nil, setup(m.current))
	for _, step := range p.Steps {
		s := m.slots[step.Controller]
		s.settle(step)
		if step.Action == plan.Start {
			m.launchAnew(s)
		}
	}
	return nil
}

// stopAll stops every controller, all at once.
func (m *Manager) stopAll() error {
	m.leading = false
	m.endTrial()
	var leavers []*slot
	for _, s := range m.slots {
		leavers = append(leavers, s)
	}
	stuck := m.stop(leavers, m.stopTimeout(), func(*slot) {})
	for _, s := range m.slots {
		if s.state() != controller.Stuck && s.state() != controller.Off {
			s.is(controller.Waiting, "another process leads")
		}
	}
	if len(stuck) > 0 {
		return fmt.Errorf("%w: %v", ErrStuck, stuck)
	}
	return nil
}

func (m *Manager) stopTimeout() time.Duration {
	return m.current.Config.Reload.StopTimeout.Duration
}
