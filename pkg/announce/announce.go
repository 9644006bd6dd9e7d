// SPDX-License-Identifier: Apache-2.0

package announce

import (
	"fmt"
	"slices"
	"sync"

	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Outcome is what a process thinks of a configuration.
type Outcome string

// Outcomes.
const (
	Applied    Outcome = "Applied"    // it is in effect, or will be when this process leads
	Rejected   Outcome = "Rejected"   // it is not valid or could not be built
	RolledBack Outcome = "RolledBack" // it was in effect and has been taken back
)

// Roles.
const (
	roleLeader  = "leader"
	roleStandby = "standby"
)

// Verdict is what became of one configuration.
type Verdict struct {
	// Generation is the one in effect after the attempt, from 1; 0: none is.
	Generation int
	// Hash of the configuration that was tried; "" when it could not be read.
	Hash string
	// Effect is the hash of the configuration in effect.
	Effect  string
	Outcome Outcome
	// Message is the summary of the plan, or why it was rejected.
	Message string
}

// Options of an Announcer.
type Options struct {
	// Identity of this process in the election.
	Identity string
	// Registry gets the metric.
	Registry metrics.KubeRegistry
	// Clock is the time of entries. Default: the real one.
	Clock  clock.WithTicker
	Logger klog.Logger
}

// waiting is how many Events wait while nothing can be published; the oldest go.
const waiting = 20

// Announcer announces verdicts. It is safe for concurrent use.
type Announcer struct {
	opts   Options
	metric *metrics.GaugeVec
	// news wakes who publishes.
	news chan struct{}

	mu     sync.Mutex
	last   Verdict
	leads  bool
	events []Verdict
}

// New makes an announcer. Until Serve is called only the metric tells.
func New(opts Options) *Announcer {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	a := &Announcer{opts: opts, news: make(chan struct{}, 1)}
	a.metric = metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: "kube_controller_manager", Name: "config_verdict",
		Help: "What this process thinks of the configuration it tried last, by the hash of its content; always 1."}, []string{"hash", "verdict", "role"})
	opts.Registry.MustRegister(a.metric)
	return a
}

// Announce makes a verdict known. It never waits; a verdict that cannot be
// published yet is when it can, unless a newer one has come.
func (a *Announcer) Announce(v Verdict) {
	v.Message = brief(v.Message)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = v
	a.events = append(a.events, v)
	if extra := len(a.events) - waiting; extra > 0 {
		a.events = slices.Delete(a.events, 0, extra)
	}
	a.changed()
}

// Lead says whether this process leads from now on.
func (a *Announcer) Lead(leads bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leads = leads
	a.changed()
}

// changed follows a change; the caller has the mutex.
func (a *Announcer) changed() {
	if a.last.Outcome != "" {
		a.metric.Reset()
		a.metric.WithLabelValues(a.last.Hash, string(a.last.Outcome), a.role()).Set(1)
	}
	select {
	case a.news <- struct{}{}:
	default:
	}
}

func (a *Announcer) role() string {
	if a.leads {
		return roleLeader
	}
	return roleStandby
}

// entry is the annotation of this process, with the hash in effect; false as long
// as there was no verdict.
func (a *Announcer) entry() (e Entry, effect string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.last
	return Entry{Identity: a.opts.Identity, Role: a.role(), Outcome: v.Outcome, Hash: v.Hash, Generation: v.Generation,
		Message: v.Message, Time: a.opts.Clock.Now().UTC().Truncate(1e9)}, v.Effect, v.Outcome != ""
}

// takeEvents are the verdicts of which no Event tells yet.
func (a *Announcer) takeEvents() []Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.events
	a.events = nil
	return events
}

// message is the text of a verdict's Event.
func (v Verdict) message(identity, role string) string {
	return brief(fmt.Sprintf("generation %d, config %s, %s %s: %s", v.Generation, v.Hash, role, identity, v.Message))
}
