// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
)

// Load is what the work queues of one run have before them and behind them.
type Load struct {
	// Depth is how many keys wait now.
	Depth int
	// PerMinute is how many keys were handled in a minute, on average over
	// RateWindow, or over the run's age while it is younger.
	PerMinute float64
	// Syncs, Retries and Errors count since the run began: keys that were handled,
	// keys that were queued for later, and syncs that failed.
	Syncs, Retries, Errors int64
}

// RateWindow is the time that Load's rate looks back.
const RateWindow = sliceCount * slice

const (
	slice      = 10 * time.Second
	sliceCount = 18
)

// tally counts beside the metrics, since these can be read only by gathering
// all of a registry.
type tally struct {
	depth, retries, errors atomic.Int64

	clock clock.PassiveClock
	began time.Time

	mu    sync.Mutex
	syncs int64
	// recent has the count of each slice of time, at the slice's number modulo
	// its length; last is the number of the newest.
	recent [sliceCount]int64
	last   int64
}

func newTally(c clock.PassiveClock) *tally { return &tally{clock: c, began: c.Now()} }

// forward empties the slices that have passed unused.
func (t *tally) forward() {
	now := int64(t.clock.Since(t.began) / slice)
	for n := max(t.last+1, now-sliceCount+1); n <= now; n++ {
		t.recent[n%sliceCount] = 0
	}
	t.last = max(t.last, now)
}

func (t *tally) synced() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forward()
	t.syncs++
	t.recent[t.last%sliceCount]++
}

func (t *tally) load() Load {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forward()
	var sum int64
	for _, n := range t.recent {
		sum += n
	}
	// The newest slice has only begun.
	age := t.clock.Since(t.began)
	window := min(age, age%slice+(sliceCount-1)*slice)
	l := Load{Depth: int(t.depth.Load()), Syncs: t.syncs, Retries: t.retries.Load(), Errors: t.errors.Load()}
	// A run of a few seconds has no rate worth the name.
	l.PerMinute = float64(sum) / max(window, slice).Minutes()
	return l
}

// Load is what the queues have to do and did. It never waits for them.
func (q *Queues) Load() Load { return q.tally.load() }

// Failed counts a sync that failed.
func (q *Queues) Failed() { q.tally.errors.Add(1) }

// The metrics of a queue, with the tally beside them.
type (
	depthMetric struct {
		workqueue.GaugeMetric
		tally *tally
	}
	retriesMetric struct {
		workqueue.CounterMetric
		tally *tally
	}
	workMetric struct {
		workqueue.HistogramMetric
		tally *tally
	}
)

// Inc is part of workqueue.GaugeMetric.
func (m depthMetric) Inc() { m.GaugeMetric.Inc(); m.tally.depth.Add(1) }

// Dec is part of workqueue.GaugeMetric.
func (m depthMetric) Dec() { m.GaugeMetric.Dec(); m.tally.depth.Add(-1) }

// Inc is part of workqueue.CounterMetric.
func (m retriesMetric) Inc() { m.CounterMetric.Inc(); m.tally.retries.Add(1) }

// Observe is part of workqueue.HistogramMetric.
func (m workMetric) Observe(seconds float64) { m.HistogramMetric.Observe(seconds); m.tally.synced() }
