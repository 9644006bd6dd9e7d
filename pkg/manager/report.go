// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"slices"
	"strings"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	kcmmetrics "github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// Status is what the manager shows of itself. It is a copy.
type Status struct {
	// Generation counts the configurations that took effect.
	Generation int `json:"generation"`
	// Hash identifies the file's content in effect.
	Hash    string    `json:"hash"`
	Applied time.Time `json:"applied"`
	// Rejected is the last problem with a newer configuration, or "".
	Rejected string `json:"rejected,omitempty"`
	// Bad is the hash of the configuration that was taken back last, while it is
	// newer than the one in effect, or "". It is not tried again before the file
	// changes.
	Bad string `json:"bad,omitempty"`
	// Fallback says that the process was started on a refused configuration and
	// works with the last good one from before.
	Fallback bool `json:"fallback,omitempty"`
	// ProbationEnds is when the configuration in effect counts as good. Zero: it
	// does.
	ProbationEnds time.Time          `json:"probationEnds,omitzero"`
	Leading       bool               `json:"leading"`
	Controllers   []ControllerStatus `json:"controllers"`
	// History has the last configurations that were tried, newest first.
	History []Attempt `json:"history"`
	// Informers are the caches; see Measured.
	Informers []informer.Stat `json:"-"`
	// Config is the configuration in effect, Previous the one before it or nil.
	Config   *config.Loaded `json:"-"`
	Previous *config.Loaded `json:"-"`

	pool *informer.Pool
}

// Outcome is what became of a configuration.
type Outcome string

// Outcomes.
const (
	Applied    Outcome = "Applied"    // it took effect
	Rejected   Outcome = "Rejected"   // it changed nothing
	RolledBack Outcome = "RolledBack" // it took effect and was taken back
)

// Attempt is the trial of one configuration.
type Attempt struct {
	Time    time.Time `json:"time"`
	Outcome Outcome   `json:"outcome"`
	// Hash identifies the content; it is empty when nothing could be read.
	Hash string `json:"hash,omitempty"`
	// Generation is the one in effect after the attempt.
	Generation int `json:"generation"`
	// Reason is why the configuration is not in effect, or "".
	Reason string    `json:"reason,omitempty"`
	Plan   plan.Plan `json:"plan,omitzero"`
	// Leading says whether this process led, so that the plan was carried out.
	Leading bool `json:"leading"`
}

// remembered is the length of the history.
const remembered = 20

// ControllerStatus is one controller's part of a Status.
type ControllerStatus struct {
	Name   string           `json:"name"`
	State  controller.State `json:"state"`
	Reason string           `json:"reason,omitempty"`
	// Since is when the state last changed.
	Since time.Time `json:"since"`
	// Unhealthy is why the controller says of itself that it does not work well,
	// or "".
	Unhealthy string `json:"unhealthy,omitempty"`
	// LastError is what ended the last run that failed, or "".
	LastError string `json:"lastError,omitempty"`
	Workers   int    `json:"workers,omitempty"`
	Run       int    `json:"run,omitempty"`
	Restarts  int    `json:"restarts,omitempty"`
	// Failures counts runs that ended with an error, ever.
	Failures int `json:"-"`
	// Load is that of the run's work queues; see Measured.
	Load kcmmetrics.Load `json:"-"`

	instance *controller.Instance
}

// Status is the present state, as of the last change plus the states of runs.
func (m *Manager) Status() Status {
	var s Status
	err := m.do(func() error {
		s = m.status()
		return nil
	})
	if err != nil {
		return m.Snapshot()
	}
	return s
}

func (m *Manager) status() Status {
	s := m.shown
	s.History = slices.Clone(s.History)
	s.Leading = m.leading
	s.Config, s.Previous = m.current, m.previous
	if m.trial != nil {
		s.ProbationEnds = m.trial.ends
	}
	for _, slot := range m.slots {
		s.Controllers = append(s.Controllers, slot.status())
	}
	slices.SortFunc(s.Controllers, func(a, b ControllerStatus) int { return strings.Compare(a.Name, b.Name) })
	if m.conn != nil {
		s.pool = m.conn.Pool
	}
	return s
}

// Measured is the status with Load and Informers, which change without an action
// of the manager, as of now.
func (s Status) Measured() Status {
	s.Controllers = slices.Clone(s.Controllers)
	for i := range s.Controllers {
		if run := s.Controllers[i].instance; run != nil {
			s.Controllers[i].Load = run.Load()
		}
	}
	if s.pool != nil {
		s.Informers = s.pool.Stats()
	}
	return s
}

// publish refreshes what readers see who must not wait for the manager's
// goroutine.
func (m *Manager) publish() {
	s := m.status()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshot = s
}

// Snapshot is the state after the manager's last action. It never waits.
func (m *Manager) Snapshot() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshot
}

// record notes the outcome of a change.
func (m *Manager) record(now *config.Loaded, p plan.Plan, err error) {
	if err != nil {
		m.rejected(now.Hash, p, err)
		return
	}
	m.inEffect(now)
	m.report.tried("success")
	m.shown.Rejected, m.shown.Bad, m.shown.Fallback = "", "", false
	m.report.fallback.Set(0)
	m.opts.Logger.Info("Configuration applied", "config", now.Hash, "generation", m.shown.Generation, "plan", p.Summary())
	m.note(Attempt{Outcome: Applied, Hash: now.Hash, Plan: p})
	if m.trial == nil {
		m.opts.Good(now)
	}
}

// inEffect notes that a configuration took effect.
func (m *Manager) inEffect(now *config.Loaded) {
	m.shown.Generation++
	m.shown.Hash, m.shown.Applied = now.Hash, m.opts.Clock.Now()
	m.report.inEffect(now.Hash)
}

// rejected notes a configuration that changed nothing.
func (m *Manager) rejected(hash string, p plan.Plan, err error) {
	m.report.tried("failure")
	m.shown.Rejected = err.Error()
	m.note(Attempt{Outcome: Rejected, Hash: hash, Reason: err.Error(), Plan: p})
}

// note adds an attempt to the history and tells who wants to know.
func (m *Manager) note(a Attempt) {
	a.Time, a.Generation, a.Leading = m.opts.Clock.Now(), m.shown.Generation, m.leading
	m.shown.History = append([]Attempt{a}, m.shown.History...)
	m.shown.History = m.shown.History[:min(len(m.shown.History), remembered)]
	m.opts.Announce(a)
}

// reporter has the metrics about configurations.
type reporter struct {
	clock    clock.PassiveClock
	total    *metrics.CounterVec
	last     *metrics.GaugeVec
	info     *metrics.GaugeVec
	fallback *metrics.Gauge
}

func newReporter(registry metrics.KubeRegistry, c clock.PassiveClock) *reporter {
	const subsystem = kcmmetrics.Subsystem
	r := &reporter{
		clock: c,
		total: metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: "config_automatic_reloads_total",
			Help: "Total number of configurations that were tried, by outcome."}, []string{"status"}),
		last: metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: subsystem, Name: "config_automatic_reload_last_timestamp_seconds",
			Help: "Time of the last configuration that was tried, by outcome."}, []string{"status"}),
		info: metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: subsystem, Name: "config_automatic_reload_last_config_info",
			Help: "The configuration in effect, by the hash of its file."}, []string{"hash"}),
		fallback: metrics.NewGauge(&metrics.GaugeOpts{Subsystem: subsystem, Name: "config_fallback",
			Help: "1 while the last good configuration from before the start is in effect because the present one is refused."}),
	}
	registry.MustRegister(r.total, r.last, r.info, r.fallback)
	for _, status := range []string{"success", "failure"} {
		r.total.WithLabelValues(status).Add(0)
	}
	return r
}

func (r *reporter) inEffect(hash string) {
	r.info.Reset()
	r.info.WithLabelValues(hash).Set(1)
}

func (r *reporter) tried(status string) {
	r.total.WithLabelValues(status).Inc()
	r.last.WithLabelValues(status).Set(float64(r.clock.Now().UnixNano()) / 1e9)
}
