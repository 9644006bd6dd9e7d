// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// Passes is the clock of a controller that looks at everything at an interval. It
// stands still but for the test, and tells when a pass has ended: the controller
// then begins to wait for the next.
type Passes struct {
	*clocktesting.FakeClock

	t        testing.TB
	interval time.Duration
	ended    chan struct{}
}

// Passes gives the kit such a clock, which begins with the time of now.
func (h *Harness) Passes(interval time.Duration) *Passes {
	p := &Passes{FakeClock: clocktesting.NewFakeClock(time.Now()), t: h.t, interval: interval, ended: make(chan struct{}, 100)}
	h.Kit.Clock = p
	return p
}

// NewTimer is part of clock.Clock.
func (p *Passes) NewTimer(d time.Duration) clock.Timer {
	timer := p.FakeClock.NewTimer(d)
	if d == p.interval {
		p.ended <- struct{}{}
	}
	return timer
}

// Await waits for the end of the next pass.
func (p *Passes) Await() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Timeout):
		p.t.Fatal("no pass")
	}
}

// Pass lets so much time go by, by the controller's clock, and awaits a pass.
func (p *Passes) Pass(d time.Duration) {
	p.t.Helper()
	p.Step(d)
	p.Await()
}

// Unawaited is how many passes have ended that nobody awaited.
func (p *Passes) Unawaited() int { return len(p.ended) }
