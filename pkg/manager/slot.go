// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// slot is the place of one controller, over all its runs.
type slot struct {
	d      controller.Descriptor
	ledger *client.Ledger

	// run is the one that was started last and has not been seen to end, or
	// nil. While it is set no other may start.
	run *run
	// resting is the state while there is no run, with the reason for it.
	resting controller.State
	reason  string
	// since is when the resting state was entered.
	since time.Time
	// lastError ended the last run that failed.
	lastError string
	clock     clock.PassiveClock
	// failures counts runs that failed in a row.
	failures int
	// failed counts all runs that failed, ever.
	failed int
	// restarts counts runs that were started after a failure, ever.
	restarts int
	// retry is pending after a failure.
	retry clock.Timer
	// generation counts runs; it, never the name, identifies one.
	generation int
}

// run is one life of a controller.
type run struct {
	generation int
	instance   *controller.Instance
	cancel     context.CancelFunc
	// done is closed when Run has returned err.
	done chan struct{}
	err  error
	// stuck is set when the run did not end in time after it was told to.
	stuck   bool
	started time.Time
	// term is the time in which this process may act.
	term context.Context
	// changed is when the instance last changed its state.
	changed atomic.Pointer[time.Time]
}

func newSlot(d controller.Descriptor, c clock.PassiveClock) *slot {
	return &slot{d: d, ledger: client.NewLedger(), resting: controller.Waiting, since: c.Now(), clock: c}
}

func (s *slot) status() ControllerStatus {
	c := ControllerStatus{Name: s.d.Name, State: s.state(), Reason: s.reason, Since: s.since, Restarts: s.restarts, Failures: s.failed, LastError: s.lastError}
	if s.run != nil {
		c.instance = s.run.instance
		c.Run, c.Workers, c.Since = s.run.generation, s.run.instance.Workers(), *s.run.changed.Load()
		if err := s.run.instance.Health(); err != nil {
			c.Unhealthy = err.Error()
		}
	}
	return c
}

func (s *slot) state() controller.State {
	switch {
	case s.run == nil:
		return s.resting
	case s.run.stuck:
		return controller.Stuck
	}
	return s.run.instance.State()
}

// is notes the state of a slot that has no run.
func (s *slot) is(state controller.State, reason string) {
	if s.resting != state {
		s.since = s.clock.Now()
	}
	s.resting, s.reason = state, reason
}

// settle notes what a plan says about a controller that it does not start.
func (s *slot) settle(step plan.Step) {
	if step.Action != plan.Off && step.Action != plan.Stop {
		return
	}
	reason := ""
	if len(step.Why) > 0 {
		reason = step.Why[0]
	}
	s.is(controller.Off, reason)
	s.failures = 0
}

// forget ends a pending retry.
func (s *slot) forget() {
	if s.retry != nil {
		s.retry.Stop()
		s.retry = nil
	}
}
