// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics"
)

// runMetrics are those of one run.
type runMetrics struct {
	stale *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	m := &runMetrics{
		stale: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem:      "daemonset_controller",
			Name:           "stale_sync_skips_total",
			Help:           "Number of syncs put off because a cache did not show the last write yet.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"group", "resource"}),
	}
	registry.MustRegister(m.stale)
	return m
}

func (m *runMetrics) skipped(r schema.GroupResource) {
	m.stale.WithLabelValues(r.Group, r.Resource).Inc()
}
