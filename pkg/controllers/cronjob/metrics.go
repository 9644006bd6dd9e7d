// SPDX-License-Identifier: Apache-2.0

package cronjob

import "k8s.io/component-base/metrics"

// newSkews measures how late Jobs are created.
func newSkews(registry metrics.KubeRegistry) *metrics.Histogram {
	h := metrics.NewHistogram(&metrics.HistogramOpts{
		Subsystem:      "cronjob_controller",
		Name:           "job_creation_skew_duration_seconds",
		Help:           "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
		Buckets:        metrics.ExponentialBuckets(1, 2, 10),
		StabilityLevel: metrics.STABLE,
	})
	registry.MustRegister(h)
	return h
}
