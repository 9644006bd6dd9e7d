// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics"
)

const subsystem = "horizontal_pod_autoscaler_controller"

// specError is one that only a change of the HorizontalPodAutoscaler can remedy.
type specError struct{ error }

// Unwrap is for errors.Is.
func (e specError) Unwrap() error { return e.error }

// runMetrics are those of one run.
type runMetrics struct {
	reconciliations     *metrics.CounterVec
	reconciliationTimes *metrics.HistogramVec
	computations        *metrics.CounterVec
	computationTimes    *metrics.HistogramVec
	objects             *metrics.Gauge
	desired             *metrics.GaugeVec
	stale               *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	m := &runMetrics{
		reconciliations:     counterVec("reconciliations_total", "Number of syncs of HorizontalPodAutoscalers.", "action", "error"),
		reconciliationTimes: histogramVec("reconciliation_duration_seconds", "How long a sync of a HorizontalPodAutoscaler took.", "action", "error"),
		computations:        counterVec("metric_computation_total", "Number of times that a metric was turned into a number of replicas.", "action", "error", "metric_type"),
		computationTimes:    histogramVec("metric_computation_duration_seconds", "How long it took to turn a metric into a number of replicas.", "action", "error", "metric_type"),
		objects: metrics.NewGauge(&metrics.GaugeOpts{
			Subsystem: subsystem, Name: "num_horizontal_pod_autoscalers", StabilityLevel: metrics.ALPHA, Help: "Number of HorizontalPodAutoscalers.",
		}),
		desired: metrics.NewGaugeVec(&metrics.GaugeOpts{
			Subsystem: subsystem, Name: "desired_replicas", StabilityLevel: metrics.ALPHA, Help: "Number of replicas that a HorizontalPodAutoscaler wants.",
		}, []string{"namespace", "hpa_name"}),
		stale: counterVec("stale_sync_skips_total", "Number of syncs put off because a cache did not show the last write yet.", "group", "resource"),
	}
	registry.MustRegister(m.reconciliations, m.reconciliationTimes, m.computations, m.computationTimes, m.objects, m.desired, m.stale)
	return m
}

func counterVec(name, help string, labels ...string) *metrics.CounterVec {
	return metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA}, labels)
}

func histogramVec(name, help string, labels ...string) *metrics.HistogramVec {
	return metrics.NewHistogramVec(&metrics.HistogramOpts{
		Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA, Buckets: metrics.ExponentialBuckets(0.001, 2, 15),
	}, labels)
}

// action is the label for a change from one number of replicas to another.
func action(from, to int32) string {
	switch {
	case to > from:
		return "scale_up"
	case to < from:
		return "scale_down"
	}
	return "none"
}

func errorLabel(err error) string {
	var spec specError
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &spec):
		return "spec"
	}
	return "internal"
}

func (m *runMetrics) reconciled(action string, err error, took time.Duration) {
	m.reconciliations.WithLabelValues(action, errorLabel(err)).Inc()
	m.reconciliationTimes.WithLabelValues(action, errorLabel(err)).Observe(took.Seconds())
}

func (m *runMetrics) computed(action string, err error, kind string, took time.Duration) {
	m.computations.WithLabelValues(action, errorLabel(err), kind).Inc()
	m.computationTimes.WithLabelValues(action, errorLabel(err), kind).Observe(took.Seconds())
}

func (m *runMetrics) skipped(r schema.GroupResource) {
	m.stale.WithLabelValues(r.Group, r.Resource).Inc()
}
