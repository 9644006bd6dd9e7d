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
