// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// apply is the transaction: build all, then stop, then start.
func (m *Manager) apply(ctx context.Context, now *config.Loaded) (plan.Plan, error) {
	p := plan.Compute(m.opts.Catalog, setup(m.current), setup(now))
	_, building := m.opts.Tracer.Step(ctx, "build", "plan", p.Summary())
	next, err := m.prepareAll(now, p)
	building.End(err)
	if err != nil {
		return p, err
	}
	_, committing := m.opts.Tracer.Step(ctx, "commit")
	defer committing.End(nil)
	m.commit(now, next.conn, p, next.instances)
	for _, commit := range next.parts {
		commit()
	}
	return p, nil
}

// prepared is everything that a configuration needs, without effect yet.
type prepared struct {
	parts     []func()
	conn      *Connection
	instances []built
}

func (m *Manager) prepareAll(now *config.Loaded, p plan.Plan) (prepared, error) {
	commits, discard, err := m.prepare(now, p)
	if err != nil {
		return prepared{}, err
	}
	conn, err := m.connect(now, p)
	if err != nil {
		discard()
		return prepared{}, err
	}
	// A standby builds too, so that a mistake shows before it leads.
	list, err := m.build(now, conn, p)
	if err != nil {
		m.drop(conn)
		discard()
		return prepared{}, err
	}
	return prepared{commits, conn, list}, nil
}

// connect makes the clients a plan replaces, and keeps the caches it does not.
func (m *Manager) connect(now *config.Loaded, p plan.Plan) (*Connection, error) {
	if m.conn != nil && !p.Replaces(plan.Clients) && !p.Replaces(plan.Caches) {
		return m.conn, nil
	}
	conn, err := m.opts.Connect(now)
	if err == nil && m.conn != nil && !p.Replaces(plan.Caches) {
		conn.Close()
		conn = &Connection{Factory: conn.Factory, Pool: m.conn.Pool, Metadata: m.conn.Metadata}
	}
	return conn, err
}

// drop gives up a connection that was made in vain.
func (m *Manager) drop(conn *Connection) {
	if m.conn == nil || conn.Pool != m.conn.Pool {
		conn.Close()
	}
}

// prepare builds the parts beside the controllers.
func (m *Manager) prepare(now *config.Loaded, p plan.Plan) (commits []func(), discard func(), err error) {
	var discards []func()
	discard = func() {
		for _, f := range discards {
			f()
		}
	}
	for _, part := range m.opts.Parts {
		commit, undo, err := part.Prepare(m.current, now, p)
		if err != nil {
			discard()
			return nil, nil, err
		}
		if commit != nil {
			commits = append(commits, commit)
		}
		if undo != nil {
			discards = append(discards, undo)
		}
	}
	return commits, discard, nil
}

// commit cannot fail: everything was built. What starts afresh does so at once,
// what is replaced as soon as its last run has ended: nobody waits for another
// controller's end.
func (m *Manager) commit(now *config.Loaded, conn *Connection, p plan.Plan, list []built) {
	before, old := m.current, m.conn
	if before == nil {
		before = now
	}
	m.endTrial()
	m.current, m.previous, m.conn = now, m.current, conn
	conn.Pool.SetLinger(now.Config.Informers.Linger.Duration)
	conn.Factory.SetLimits(now.Config.ClientConnection.QPS, int(now.Config.ClientConnection.Burst))
	leavers := m.settle(p)
	var started []*run
	successors := map[*slot]built{}
	for _, b := range list {
		switch {
		case !m.leading:
		case b.slot.run == nil:
			started = append(started, m.start(b)...)
		default:
			successors[b.slot] = b
		}
	}
	m.stop(leavers, before.Config.Reload.StopTimeout.Duration, func(s *slot) {
		if b, ok := successors[s]; ok {
			delete(successors, s)
			started = append(started, m.start(b)...)
		}
	})
	for s := range successors {
		m.opts.Logger.Error(nil, "Not started, for its last run has not stopped", "controller", s.d.Name)
	}
	m.keepWarm()
	if old != nil && old.Pool != conn.Pool {
		old.Close()
	}
	if before != now {
		m.try(before, started)
	}
}

// settle notes what a plan says about the slots and returns those whose run must
// end.
func (m *Manager) settle(p plan.Plan) (leavers []*slot) {
	for _, step := range p.Steps {
		s := m.slots[step.Controller]
		s.settle(step)
		switch {
		case (step.Action == plan.Stop || step.Action == plan.Restart) && s.run != nil:
			leavers = append(leavers, s)
		case step.Action == plan.Stop:
			s.forget()
		case step.Action == plan.Resize && s.run != nil:
			s.run.instance.Resize(step.Workers)
		case step.Action == plan.Start && !m.leading:
			s.is(controller.Waiting, "another process leads")
		}
	}
	return leavers
}

// trial is a change whose controllers must stay up for a while.
type trial struct {
	before *config.Loaded
	runs   []*run
	ends   time.Time
	// over is closed when nobody watches the runs any more.
	over chan struct{}
}

func (t *trial) concerns(r *run) bool { return slices.Contains(t.runs, r) }

// try puts the runs that a change started on probation.
func (m *Manager) try(before *config.Loaded, runs []*run) {
	probation := m.current.Config.Reload.Probation.Duration
	if len(runs) == 0 || probation <= 0 {
		return
	}
	t := &trial{before: before, runs: runs, ends: m.opts.Clock.Now().Add(probation), over: make(chan struct{})}
	m.trial = t
	ticker := m.opts.Clock.NewTicker(min(probation, examination))
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C():
				m.post(func() { m.examine(t) })
			case <-t.over:
				return
			case <-m.ended:
				return
			}
		}
	}()
}

// examination is the interval at which the health of controllers on probation is
// looked at.
const examination = time.Second

// examine takes a change back when a controller it started says that it does not
// work, and ends the probation when its time is over.
func (m *Manager) examine(t *trial) {
	if m.trial != t {
		return
	}
	for _, s := range m.slots {
		if s.run == nil || !t.concerns(s.run) {
			continue
		}
		if err := s.run.instance.Health(); err != nil {
			m.rollback(fmt.Sprintf("%s is unhealthy: %s", s.d.Name, firstLine(err.Error())))
			return
		}
	}
	if !m.opts.Clock.Now().Before(t.ends) {
		m.endTrial()
		m.opts.Good(m.current)
	}
}

// endTrial forgets what was to be taken back: a newer change, or the end.
func (m *Manager) endTrial() {
	if m.trial != nil {
		close(m.trial.over)
		m.trial = nil
	}
}

// rollback returns to the configuration before the change on probation.
func (m *Manager) rollback(why string) {
	bad, good := m.current, m.trial.before
	m.endTrial()
	m.report.tried("failure")
	ctx, span := m.opts.Tracer.Reload(context.Background(), good.Hash)
	p, err := m.apply(ctx, good)
	span.End(err)
	m.endTrial() // what was good is not on probation
	if err != nil {
		m.opts.Logger.Error(err, "Going back failed, the changed configuration stays", "config", bad.Hash, "wanted", good.Hash, "why", why)
		m.shown.Rejected = fmt.Sprintf("%s; going back to %s failed: %v", why, good.Hash, err)
		m.note(Attempt{Outcome: Rejected, Hash: good.Hash, Reason: m.shown.Rejected, Plan: p})
		return
	}
	m.inEffect(good)
	m.previous = bad
	m.shown.Bad, m.shown.Rejected = bad.Hash, fmt.Sprintf("%s; went back to %s", why, good.Hash)
	m.opts.Logger.Error(nil, "Went back to the last good configuration", "config", good.Hash, "bad", bad.Hash, "why", why, "plan", p.Summary())
	m.note(Attempt{Outcome: RolledBack, Hash: bad.Hash, Reason: m.shown.Rejected, Plan: p})
}
