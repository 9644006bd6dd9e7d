// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-base/metrics"
	"k8s.io/utils/clock"
)

// Queues provides the workqueue_* metrics, under upstream's names, in one
// run's registry.
type Queues struct {
	depth, unfinished, longest *metrics.GaugeVec
	adds, retries              *metrics.CounterVec
	latency, work              *metrics.HistogramVec
	tally                      *tally
}

var _ workqueue.MetricsProvider = (*Queues)(nil)

// NewQueues registers the metrics of a run's queues. The run begins now.
func NewQueues(registry metrics.KubeRegistry, c clock.PassiveClock) *Queues {
	gauge := func(name, help string) *metrics.GaugeVec {
		return metrics.NewGaugeVec(&metrics.GaugeOpts{Subsystem: "workqueue", Name: name, Help: help, StabilityLevel: metrics.BETA}, []string{"name"})
	}
	counter := func(name, help string) *metrics.CounterVec {
		return metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: "workqueue", Name: name, Help: help, StabilityLevel: metrics.BETA}, []string{"name"})
	}
	histogram := func(name, help string) *metrics.HistogramVec {
		return metrics.NewHistogramVec(&metrics.HistogramOpts{Subsystem: "workqueue", Name: name, Help: help, StabilityLevel: metrics.BETA, Buckets: metrics.ExponentialBuckets(10e-9, 10, 10)}, []string{"name"})
	}
	q := &Queues{
		tally:      newTally(c),
		depth:      gauge("depth", "Current depth of workqueue"),
		adds:       counter("adds_total", "Total number of adds handled by workqueue"),
		latency:    histogram("queue_duration_seconds", "How long in seconds an item stays in workqueue before being requested."),
		work:       histogram("work_duration_seconds", "How long in seconds processing an item from workqueue takes."),
		unfinished: gauge("unfinished_work_seconds", "Seconds of work that is in progress and was not yet observed by work_duration_seconds."),
		longest:    gauge("longest_running_processor_seconds", "How many seconds the longest running worker of the workqueue has been at its item."),
		retries:    counter("retries_total", "Total number of retries handled by workqueue"),
	}
	registry.MustRegister(q.depth, q.adds, q.latency, q.work, q.unfinished, q.longest, q.retries)
	return q
}

// NewDepthMetric is part of workqueue.MetricsProvider, as are the others.
func (q *Queues) NewDepthMetric(name string) workqueue.GaugeMetric {
	return depthMetric{q.depth.WithLabelValues(name), q.tally}
}

func (q *Queues) NewAddsMetric(name string) workqueue.CounterMetric {
	return q.adds.WithLabelValues(name)
}

func (q *Queues) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return q.latency.WithLabelValues(name)
}

func (q *Queues) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return workMetric{q.work.WithLabelValues(name), q.tally}
}

func (q *Queues) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return q.unfinished.WithLabelValues(name)
}

func (q *Queues) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return q.longest.WithLabelValues(name)
}

func (q *Queues) NewRetriesMetric(name string) workqueue.CounterMetric {
	return retriesMetric{q.retries.WithLabelValues(name), q.tally}
}
