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
	Rejected    string             `json:"rejected,omitempty"`
	Leading     bool               `json:"leading"`
	Controllers []ControllerStatus `json:"controllers"`
	Informers   []informer.Stat    `json:"-"`
	Config      *config.Loaded     `json:"-"`
	Plan        plan.Plan          `json:"-"`
}

// ControllerStatus is one controller's part of a Status.
type ControllerStatus struct {
	Name     string           `json:"name"`
	State    controller.State `json:"state"`
	Reason   string           `json:"reason,omitempty"`
	Workers  int              `json:"workers,omitempty"`
	Run      int              `json:"run,omitempty"`
	Restarts int              `json:"restarts,omitempty"`
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
	s.Leading = m.leading
	s.Config = m.current
	for _, slot := range m.slots {
		c := ControllerStatus{Name: slot.d.Name, State: slot.state(), Reason: slot.reason, Restarts: slot.restarts}
		if slot.run != nil {
			c.Run, c.Workers = slot.run.generation, slot.run.instance.Workers()
		}
		s.Controllers = append(s.Controllers, c)
	}
	slices.SortFunc(s.Controllers, func(a, b ControllerStatus) int { return strings.Compare(a.Name, b.Name) })
	if m.conn != nil {
		s.Informers = m.conn.Pool.Stats()
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
		m.report.failed()
		m.rejected(err)
		return
	}
	m.inEffect(now, p)
	m.report.tried("success")
	m.shown.Rejected = ""
	m.opts.Logger.Info("Configuration applied", "config", now.Hash, "generation", m.shown.Generation, "plan", p.Summary())
}

// inEffect notes that a configuration took effect.
func (m *Manager) inEffect(now *config.Loaded, p plan.Plan) {
	m.shown.Generation++
	m.shown.Hash, m.shown.Applied, m.shown.Plan = now.Hash, m.opts.Clock.Now(), p
	m.report.inEffect(now.Hash)
}

func (m *Manager) rejected(err error) { m.shown.Rejected = err.Error() }

// reporter has the metrics about configurations.
type reporter struct {
	clock    clock.PassiveClock
	total    *metrics.CounterVec
	last     *metrics.GaugeVec
	info     *metrics.GaugeVec
	failures *metrics.CounterVec
}

func newReporter(registry metrics.KubeRegistry, c clock.PassiveClock) *reporter {
	const subsystem = "kube_controller_manager"
	r := &reporter{
		clock: c,
		total: metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: "config_automatic_reloads_total",
			Help: "Total number of configurations that were tried, by outcome."}, []string{"status"}),
		last: metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: subsystem, Name: "config_automatic_reload_last_timestamp_seconds",
			Help: "Time of the last configuration that was tried, by outcome."}, []string{"status"}),
		info: metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: subsystem, Name: "config_automatic_reload_last_config_info",
			Help: "The configuration in effect, by the hash of its file."}, []string{"hash"}),
		failures: metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: "controller_failures_total",
			Help: "Total number of runs that ended with an error or a panic."}, []string{"controller"}),
	}
	registry.MustRegister(r.total, r.last, r.info, r.failures)
	for _, status := range []string{"success", "failure"} {
		r.total.WithLabelValues(status).Add(0)
	}
	return r
}

func (r *reporter) failed() { r.tried("failure") }

func (r *reporter) inEffect(hash string) {
	r.info.Reset()
	r.info.WithLabelValues(hash).Set(1)
}

func (r *reporter) tried(status string) {
	r.total.WithLabelValues(status).Inc()
	r.last.WithLabelValues(status).Set(float64(r.clock.Now().UnixNano()) / 1e9)
}

func (r *reporter) failure(name string) { r.failures.WithLabelValues(name).Inc() }
