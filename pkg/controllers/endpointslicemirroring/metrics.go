// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/metrics"
)

const subsystem = "endpoint_slice_mirroring_controller"

// runMetrics are those of one run.
type runMetrics struct {
	added, updated, removed, skipped, duration *metrics.Histogram

	endpoints, slices, desired *metrics.Gauge
	changes                    *metrics.CounterVec

	mu sync.Mutex
	// sizes are what each Endpoints object adds to the gauges.
	sizes map[cache.ObjectName]sizes
	total sizes
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	perSync := metrics.ExponentialBuckets(2, 2, 15)
	m := &runMetrics{
		added:     histogram("endpoints_added_per_sync", "Number of endpoints that a sync added.", perSync),
		updated:   histogram("endpoints_updated_per_sync", "Number of endpoints that a sync changed.", perSync),
		removed:   histogram("endpoints_removed_per_sync", "Number of endpoints that a sync removed.", perSync),
		skipped:   histogram("addresses_skipped_per_sync", "Number of addresses that a sync left out, as invalid or too many.", perSync),
		duration:  histogram("endpoints_sync_duration", "How long a sync took, in seconds.", metrics.ExponentialBuckets(0.001, 2, 15)),
		endpoints: gauge("endpoints_desired", "Number of endpoints to be mirrored."),
		slices:    gauge("num_endpoint_slices", "Number of EndpointSlices."),
		desired:   gauge("desired_endpoint_slices", "Number of EndpointSlices that would be enough."),
		changes: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem: subsystem, Name: "changes", StabilityLevel: metrics.ALPHA,
			Help: "Number of EndpointSlices written.",
		}, []string{"operation"}),
		sizes: map[cache.ObjectName]sizes{},
	}
	registry.MustRegister(m.added, m.updated, m.removed, m.skipped, m.duration, m.endpoints, m.slices, m.desired, m.changes)
	return m
}

func histogram(name, help string, buckets []float64) *metrics.Histogram {
	return metrics.NewHistogram(&metrics.HistogramOpts{
		Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA, Buckets: buckets,
	})
}

func gauge(name, help string) *metrics.Gauge {
	return metrics.NewGauge(&metrics.GaugeOpts{Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA})
}

func (m *runMetrics) took(d time.Duration) { m.duration.Observe(float64(d.Milliseconds()) / 1000) }

func (m *runMetrics) changed(operation string) { m.changes.WithLabelValues(operation).Inc() }

// planned takes up what a sync has decided.
func (m *runMetrics) planned(key cache.ObjectName, plan *changes, skipped int) {
	m.skipped.Observe(float64(skipped))
	m.added.Observe(float64(plan.added))
	m.updated.Observe(float64(plan.updated))
	m.removed.Observe(float64(plan.removed))
	m.replace(key, plan.sizes)
}

// forget takes an object that is not mirrored out of the gauges.
func (m *runMetrics) forget(key cache.ObjectName) { m.replace(key, sizes{}) }

func (m *runMetrics) replace(key cache.ObjectName, now sizes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.sizes[key]
	if now == (sizes{}) {
		delete(m.sizes, key)
	} else {
		m.sizes[key] = now
	}
	m.total.endpoints += now.endpoints - before.endpoints
	m.total.slices += now.slices - before.slices
	m.total.desired += now.desired - before.desired
	m.endpoints.Set(float64(m.total.endpoints))
	m.slices.Set(float64(m.total.slices))
	m.desired.Set(float64(m.total.desired))
}
