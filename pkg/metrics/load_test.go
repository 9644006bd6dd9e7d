// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/metrics"
)

func TestLoadCountsAndForgetsWhatIsOld(t *testing.T) {
	c := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	registry, _ := metrics.NewHub().Prepare()
	q := metrics.NewQueues(registry, c)
	depth, retries, work := q.NewDepthMetric("a"), q.NewRetriesMetric("a"), q.NewWorkDurationMetric("a")
	other := q.NewWorkDurationMetric("b")

	for range 30 {
		depth.Inc()
		depth.Inc()
		depth.Dec()
		work.Observe(0.1)
		other.Observe(0.1)
		c.Step(time.Second)
	}
	retries.Inc()
	q.Failed()
	want := metrics.Load{Depth: 30, PerMinute: 120, Syncs: 60, Retries: 1, Errors: 1}
	if diff := cmp.Diff(want, q.Load()); diff != "" {
		t.Errorf("after 30 s (-want +got):\n%s", diff)
	}

	c.Step(metrics.RateWindow - 40*time.Second)
	want.PerMinute = 60 / (metrics.RateWindow - 10*time.Second).Minutes()
	if diff := cmp.Diff(want, q.Load()); diff != "" {
		t.Errorf("just before the end of the window (-want +got):\n%s", diff)
	}

	c.Step(24 * time.Hour)
	want.PerMinute = 0
	if diff := cmp.Diff(want, q.Load()); diff != "" {
		t.Errorf("after a day (-want +got):\n%s", diff)
	}
	other.Observe(1)
	c.Step(5 * time.Second)
	if got := q.Load().PerMinute; got <= 0 || got > 1 {
		t.Errorf("one sync after a quiet day is a rate of %v", got)
	}
}

func TestRateOfAYoungRunIsNotInflated(t *testing.T) {
	c := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	registry, _ := metrics.NewHub().Prepare()
	q := metrics.NewQueues(registry, c)
	q.NewWorkDurationMetric("a").Observe(0)
	if got := q.Load().PerMinute; got != 6 {
		t.Errorf("one sync at once is a rate of %v, want 6", got)
	}
}
