// SPDX-License-Identifier: Apache-2.0

package replicaset

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics"
)

const subsystem = "replicaset_controller"

// runMetrics are those of one run.
type runMetrics struct {
	ages  *metrics.Histogram
	stale *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	m := &runMetrics{
		ages: metrics.NewHistogram(&metrics.HistogramOpts{
			Subsystem:      subsystem,
			Name:           "sorting_deletion_age_ratio",
			Help:           "The ratio of the age of a deleted pod to that of the youngest pod of its set, both ready. Only sets of which some pods stay are counted.",
			Buckets:        metrics.ExponentialBuckets(0.25, 2, 6),
			StabilityLevel: metrics.ALPHA,
		}),
		stale: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem:      subsystem,
			Name:           "stale_sync_skips_total",
			Help:           "Number of syncs put off because a cache did not show the last write yet.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"group", "resource"}),
	}
	registry.MustRegister(m.ages, m.stale)
	return m
}

func (m *runMetrics) skipped(r schema.GroupResource) {
	m.stale.WithLabelValues(r.Group, r.Resource).Inc()
}
