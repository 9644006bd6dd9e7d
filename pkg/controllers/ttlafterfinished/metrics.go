// SPDX-License-Identifier: Apache-2.0

package ttlafterfinished

import "k8s.io/component-base/metrics"

// newDelays measures how late Jobs are deleted.
func newDelays(registry metrics.KubeRegistry) *metrics.Histogram {
	h := metrics.NewHistogram(&metrics.HistogramOpts{
		Subsystem:      "ttl_after_finished_controller",
		Name:           "job_deletion_duration_seconds",
		Help:           "The time from a Job's expiry to its deletion, in seconds.",
		Buckets:        metrics.ExponentialBuckets(0.1, 2, 14),
		StabilityLevel: metrics.ALPHA,
	})
	registry.MustRegister(h)
	return h
}
