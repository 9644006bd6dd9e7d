// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestChargesStandStill(t *testing.T) {
	k := key{Namespace: "ns", Name: "q"}
	clock := clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	c := newCharges(clock)
	now := 0
	changed := func() {
		now++
		c.see(k, fmt.Sprint(now))
	}
	expect := func(what string, want time.Duration) {
		t.Helper()
		if got := c.wait(k, fmt.Sprint(now)); got != want {
			t.Errorf("%s: a lower number waits %s, want %s", what, got, want)
		}
	}
	expect("just seen", inFlight)
	clock.Step(longestDoubt)
	expect("seen long ago", 0)
	changed()
	expect("just charged", inFlight)
	now++
	clock.Step(inFlight / 2)
	expect("charged, and not told of it yet", inFlight)
	c.see(k, fmt.Sprint(now))
	clock.Step(inFlight / 2)
	expect("told of it, which is no change", inFlight/2)
	clock.Step(inFlight / 2)
	expect("it stands still", 0)
	changed()
	expect("charged again", inFlight)
	clock.Step(inFlight - time.Millisecond)
	expect("charged a while ago", time.Millisecond)
	clock.Step(time.Millisecond)
	expect("charged long ago", 0)
	for range 19 {
		changed()
		expect("charged all the time", inFlight)
		clock.Step(longestDoubt / 20)
	}
	changed()
	clock.Step(longestDoubt / 20)
	expect("charged all the time, for too long", 0)
	changed()
	expect("a new doubt", inFlight)
	clock.Step(longestDoubt)
	c.believe(k)
	changed()
	expect("the old doubt is over", inFlight)
	c.forget(k)
	if len(c.last) > 0 || c.doubts.Hold(k, longestDoubt) != longestDoubt {
		t.Errorf("remembers %v, or a doubt", c.last)
	}
}

func TestLowers(t *testing.T) {
	amounts := func(pods, cpu string) corev1.ResourceList {
		list := corev1.ResourceList{}
		if pods != "" {
			list[corev1.ResourcePods] = resource.MustParse(pods)
		}
		if cpu != "" {
			list[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		return list
	}
	for name, test := range map[string]struct {
		old, now corev1.ResourceList
		want     bool
	}{
		"same":            {old: amounts("1", "1"), now: amounts("1", "1000m")},
		"more":            {old: amounts("1", "1"), now: amounts("2", "1")},
		"less":            {old: amounts("2", "1"), now: amounts("1", "1"), want: true},
		"more and less":   {old: amounts("2", "1"), now: amounts("3", "999m"), want: true},
		"first":           {now: amounts("0", "0")},
		"another":         {old: amounts("2", ""), now: amounts("", "1")},
		"not limited now": {old: amounts("2", "1"), now: amounts("2", "")},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lowers(test.old, test.now); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
