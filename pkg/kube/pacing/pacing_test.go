// SPDX-License-Identifier: Apache-2.0

package pacing_test

import (
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

func TestHold(t *testing.T) {
	clock := testclock.NewFakeClock(time.Now())
	p := pacing.New[string](clock)
	hold := func(key string, urgency, want time.Duration) {
		t.Helper()
		if got := p.Hold(key, urgency); got != want {
			t.Errorf("%s is held for %s, want %s", key, got, want)
		}
	}
	hold("a", pacing.Now, 0)
	hold("a", pacing.Later, pacing.Later)
	hold("b", pacing.Later, pacing.Later)
	clock.Step(pacing.Later / 2)
	hold("a", pacing.Later, pacing.Later/2) // counted from the beginning
	hold("b", pacing.Soon, pacing.Soon)     // a more urgent step shortens the wait
	hold("b", pacing.Later, pacing.Soon)    // and a less urgent one does not make it longer
	clock.Step(pacing.Later / 2)
	hold("a", pacing.Later, 0)
	hold("a", pacing.Later, pacing.Later) // the next change waits anew
	hold("b", pacing.Soon, 0)
	p.Hold("c", pacing.Later)
	p.Forget("c")
	hold("c", pacing.Later, pacing.Later)
	hold("c", pacing.Now, 0)
}

func TestCrowdWaitsLonger(t *testing.T) {
	p := pacing.New[int](testclock.NewFakeClock(time.Now()))
	var last time.Duration
	for i := range 1000 {
		left := p.Hold(i, pacing.Later)
		if left < last || left > pacing.Latest {
			t.Fatalf("key %d is held for %s after %s", i, left, last)
		}
		last = left
		if want := map[int]time.Duration{24: time.Second, 25: 2 * time.Second, 999: pacing.Latest}[i]; want != 0 && left != want {
			t.Errorf("key %d is held for %s, want %s", i, left, want)
		}
	}
	if left := p.Hold(1000, pacing.Soon); left != pacing.Soon {
		t.Errorf("what is urgent is held for %s", left)
	}
	if left := p.Hold(0, pacing.Later); left != time.Second {
		t.Errorf("a wait became longer: %s", left)
	}
}

func TestSpacer(t *testing.T) {
	clock := testclock.NewFakeClock(time.Now())
	s := pacing.NewSpacer[string](clock, time.Second)
	waits := func(key string, want time.Duration) {
		t.Helper()
		if got := s.Wait(key); got != want {
			t.Errorf("%s waits for %s, want %s", key, got, want)
		}
	}
	waits("a", 0)
	s.Did("a")
	waits("a", time.Second)
	waits("b", 0)
	clock.Step(400 * time.Millisecond)
	waits("a", 600*time.Millisecond)
	clock.Step(time.Hour)
	waits("a", 0)
	s.Did("a")
	clock.SetTime(clock.Now().Add(-time.Hour))
	waits("a", time.Second) // a clock that was put back does not make it wait for ever
	s.Forget("a")
	waits("a", 0)
}
