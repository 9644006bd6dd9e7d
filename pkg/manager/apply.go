// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"

	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// apply is the transaction: build all, then stop, then start.
func (m *Manager) apply(now *config.Loaded) (plan.Plan, error) {
	p := plan.Compute(m.opts.Catalog, setup(m.current), setup(now))
	commits, discard, err := m.prepare(now, p)
	if err != nil {
		return p, err
	}
	conn, err := m.connect(now, p)
	if err != nil {
		discard()
		return p, err
	}
	// A standby builds too, so that a mistake shows before it leads.
	list, err := m.build(now, conn, p)
	if err != nil {
		m.drop(conn)
		discard()
		return p, err
	}
	m.commit(now, conn, p, list)
	for _, commit := range commits {
		commit()
	}
	return p, nil
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

// commit cannot fail: everything was built.
func (m *Manager) commit(now *config.Loaded, conn *Connection, p plan.Plan, list []built) {
	before, old := m.current, m.conn
	if before == nil {
		m.current = now
	}
	var leavers []*slot
	for _, step := range p.Steps {
		if step.Action == plan.Stop || step.Action == plan.Restart {
			leavers = append(leavers, m.slots[step.Controller])
		}
	}
	m.stop(leavers)
	m.current, m.conn = now, conn
	conn.Pool.SetLinger(now.Config.Informers.Linger.Duration)
	if old != nil && old.Pool != conn.Pool {
		old.Close()
	}
	for _, step := range p.Steps {
		s := m.slots[step.Controller]
		s.settle(step)
		if step.Action == plan.Resize && s.run != nil {
			s.run.instance.Resize(step.Workers)
		}
		if step.Action == plan.Start && !m.leading {
			s.is(controller.Waiting, "another process leads")
		}
	}
	m.endTrial()
	if m.leading {
		m.try(before, m.start(list))
	}
}

// trial is a change whose controllers must stay up for a while.
type trial struct {
	before *config.Loaded
	runs   []*run
	timer  clock.Timer
}

func (t *trial) concerns(r *run) bool {
	for _, x := range t.runs {
		if x == r {
			return true
		}
	}
	return false
}

// try puts the runs that a change started on probation.
func (m *Manager) try(before *config.Loaded, runs []*run) {
	probation := m.current.Config.Reload.Probation.Duration
	if before == nil || len(runs) == 0 || probation <= 0 {
		return
	}
	t := &trial{before: before, runs: runs, timer: m.opts.Clock.NewTimer(probation)}
	m.trial = t
	go func() {
		select {
		case <-t.timer.C():
			m.post(func() {
				if m.trial == t {
					m.trial = nil
				}
			})
		case <-m.ended:
		}
	}()
}

// endTrial forgets what was to be taken back: a newer change, or the end.
func (m *Manager) endTrial() {
	if m.trial != nil {
		m.trial.timer.Stop()
		m.trial = nil
	}
}

// rollback returns to the configuration before the change on probation.
func (m *Manager) rollback(why string) {
	bad, good := m.current, m.trial.before
	m.endTrial()
	m.report.failed()
	p, err := m.apply(good)
	m.endTrial()
	if err != nil {
		m.opts.Logger.Error(err, "Going back failed, the changed configuration stays", "config", bad.Hash, "wanted", good.Hash)
		m.rejected(fmt.Errorf("%s; going back to %s failed: %w", why, good.Hash, err))
		return
	}
	m.inEffect(good, p)
	m.rejected(fmt.Errorf("%s; went back to %s", why, good.Hash))
	m.opts.Logger.Info("Went back to the last good configuration", "config", good.Hash, "bad", bad.Hash, "why", why, "plan", p.Summary())
}
