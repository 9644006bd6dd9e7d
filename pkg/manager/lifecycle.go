// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"bytes"
	"context"
	"math/rand/v2"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// Backoff between the runs of a controller that fails.
const (
	firstBackoff = time.Second
	maxBackoff   = time.Minute
	// sound is how long a run must last for its failure to count as the first.
	sound = 10 * time.Minute
)

func setup(c *config.Loaded) *plan.Setup {
	if c == nil {
		return nil
	}
	return &plan.Setup{Config: c.Config, Gates: c.Gates}
}

func (m *Manager) kit(c *config.Loaded, conn *Connection) controller.Kit {
	return controller.Kit{
		Clients: conn.Factory, Pool: conn.Pool, Hub: m.opts.Hub, Gates: c.Gates,
		Logger: m.opts.Logger, Clock: m.opts.Clock, Metadata: conn.Metadata,
		Cluster: c.Config.Cluster, Tracer: m.opts.Tracer,
		// Less than the deadline, so that cancelled requests can still end in it.
		Grace: c.Config.Reload.StopTimeout.Duration / 2,
	}
}

// built is an instance that waits for its start.
type built struct {
	slot     *slot
	instance *controller.Instance
	// declined is why the controller has nothing to do; then there is no
	// instance.
	declined string
}

// build makes the instances a plan starts. It starts nothing, so an error
// leaves everything as it was.
func (m *Manager) build(c *config.Loaded, conn *Connection, p plan.Plan) ([]built, error) {
	kit := m.kit(c, conn)
	var list []built
	for _, step := range p.Steps {
		if step.Action != plan.Start && step.Action != plan.Restart {
			continue
		}
		s := m.slots[step.Controller]
		instance, err := controller.Build(s.d, kit, &c.Config.Controllers, s.ledger)
		if reason, declined := controller.Declined(err); declined {
			list = append(list, built{slot: s, declined: reason})
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, built{slot: s, instance: instance})
	}
	return list, nil
}

// start starts what was built, in a slot without a run.
func (m *Manager) start(b built) []*run {
	s := b.slot
	s.forget()
	if !m.allows(s) {
		return nil
	}
	if b.instance == nil {
		s.is(controller.Off, b.declined)
		m.opts.Logger.Info("Controller has nothing to do", "controller", s.d.Name, "reason", b.declined)
		return nil
	}
	return []*run{m.launch(s, b.instance)}
}

func (m *Manager) launch(s *slot, instance *controller.Instance) *run {
	ctx, cancel := context.WithCancel(m.term)
	s.generation++
	r := &run{generation: s.generation, instance: instance, cancel: cancel, done: make(chan struct{}), started: m.opts.Clock.Now(), term: m.term}
	r.changed.Store(&r.started)
	s.run, s.reason = r, ""
	logger := klog.LoggerWithName(m.opts.Logger, s.d.Name)
	instance.Observe(func(state controller.State) {
		now := m.opts.Clock.Now()
		r.changed.Store(&now)
		logger.V(1).Info("Controller changed state", "state", state, "run", r.generation)
		go m.post(func() {}) // readers of the snapshot want to know
	})
	labels := pprof.Labels("controller", s.d.Name)
	delay := m.startDelay()
	go pprof.Do(ctx, labels, func(ctx context.Context) {
		if m.pause(ctx, delay) {
			r.err = instance.Run(ctx)
		}
		close(r.done)
		m.post(func() { m.returned(s, r) })
	})
	return r
}

// startDelay spreads the starts of controllers: between one and two intervals.
func (m *Manager) startDelay() time.Duration {
	interval := m.current.Config.Reload.StartInterval.Duration
	return interval + time.Duration(rand.Float64()*float64(interval))
}

// pause waits, and says whether the context still goes on after it.
func (m *Manager) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := m.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// stop ends the runs of the slots, all at once, calls ended for each as soon as
// it has, and returns the names of those that did not in time. For a run that is
// stuck since an earlier stop nobody waits again.
func (m *Manager) stop(slots []*slot, timeout time.Duration, ended func(*slot)) (stuck []string) {
	gone := make(chan *slot, len(slots))
	late := make(chan struct{})
	defer close(late)
	waiting := map[*slot]bool{}
	for _, s := range slots {
		s.forget()
		if s.run == nil {
			continue
		}
		s.run.cancel()
		waiting[s] = true
		go func(done <-chan struct{}) {
			select {
			case <-done:
				gone <- s
			case <-late:
			}
		}(s.run.done)
	}
	deadline := m.opts.Clock.NewTimer(timeout)
	defer deadline.Stop()
	for overdue := false; !overdue && slices.ContainsFunc(slots, func(s *slot) bool { return waiting[s] && !s.run.stuck }); {
		select {
		case s := <-gone:
			delete(waiting, s)
			m.stopped(s)
			ended(s)
		case <-deadline.C():
			overdue = true
		}
	}
	for s := range waiting {
		if m.ends(s, timeout) {
			m.stopped(s)
			ended(s)
			continue
		}
		stuck = append(stuck, s.d.Name)
	}
	slices.Sort(stuck)
	return stuck
}

// stopped notes the end of a run that was waited for.
func (m *Manager) stopped(s *slot) {
	if s.run.err != nil {
		s.lastError = firstLine(s.run.err.Error())
		m.opts.Logger.Error(s.run.err, "Controller failed while it was stopping", "controller", s.d.Name)
	}
	s.run = nil
	s.since = m.opts.Clock.Now()
}

// ends says whether a run ended at the last moment, and marks it otherwise.
func (m *Manager) ends(s *slot, timeout time.Duration) bool {
	select {
	case <-s.run.done:
		return true
	default:
	}
	if !s.run.stuck {
		s.run.stuck = true
		m.opts.Logger.Error(nil, "Controller is stuck: it did not stop in time and is not replaced", "controller", s.d.Name, "timeout", timeout, "goroutines", goroutines(s.d.Name))
	}
	return false
}

// goroutines are the stacks of a controller, for the log. Its goroutines carry
// its name as a profiler label.
func goroutines(name string) string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return err.Error()
	}
	var own []string
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, `"controller":"`+name+`"`) {
			own = append(own, stack)
		}
	}
	return strings.Join(own, "\n\n")
}

// returned handles the end of a run that nobody waited for.
func (m *Manager) returned(s *slot, r *run) {
	if s.run != r {
		return // it was stopped, and has been taken note of
	}
	s.run = nil
	if r.stuck {
		m.opts.Logger.Info("A stuck controller has stopped after all", "controller", s.d.Name)
		s.is(controller.Off, "stopped late")
		if m.leading {
			m.revive(s)
		}
		return
	}
	if r.term.Err() != nil {
		// It was told to, by the end of the term, which stopAll has not come to yet.
		s.is(controller.Waiting, "another process leads")
		return
	}
	if m.opts.Clock.Since(r.started) > sound {
		s.failures = 0
	}
	onTrial := m.trial != nil && m.trial.concerns(r)
	m.failed(s, r.err)
	if onTrial {
		m.rollback(s.d.Name + " failed: " + s.reason)
	}
}

func (m *Manager) later(s *slot, delay time.Duration) {
	s.forget()
	timer := m.opts.Clock.NewTimer(delay)
	s.retry = timer
	go func() {
		select {
		case <-timer.C():
			m.post(func() {
				if s.retry == timer {
					s.retry = nil
					m.revive(s)
				}
			})
		case <-m.ended:
		}
	}()
}

// revive starts a controller again that failed or stopped late.
func (m *Manager) revive(s *slot) {
	if on, why := s.d.Enabled(&m.current.Config.Controllers, m.current.Gates); !on {
		s.is(controller.Off, why)
		return
	}
	if m.leading && s.run == nil {
		s.restarts++
		m.launchAnew(s)
	}
}

// launchAnew builds and starts one controller on the configuration in effect.
func (m *Manager) launchAnew(s *slot) {
	list, err := m.build(m.current, m.conn, plan.Plan{Steps: []plan.Step{{Controller: s.d.Name, Action: plan.Start}}})
	if err != nil {
		m.failed(s, err)
		return
	}
	for _, b := range list {
		m.start(b)
	}
}

// failed notes a failure and has the controller started after a pause that
// grows with the number of failures in a row.
func (m *Manager) failed(s *slot, err error) {
	s.failures++
	reason := "returned without being told to"
	if err != nil {
		reason = firstLine(err.Error())
	}
	s.is(controller.Failed, reason)
	s.lastError = reason
	s.failed++
	delay := min(firstBackoff<<min(s.failures-1, 10), maxBackoff)
	m.opts.Logger.Error(err, "Controller failed, starting it anew", "controller", s.d.Name, "failures", s.failures, "delay", delay)
	m.later(s, delay)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
