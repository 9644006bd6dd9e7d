// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import "k8s.io/component-base/metrics"

// newFailures counts the times that the monitors could not follow the API.
func newFailures(registry metrics.KubeRegistry) *metrics.Counter {
	c := metrics.NewCounter(&metrics.CounterOpts{
		Subsystem:      "garbagecollector_controller",
		Name:           "resources_sync_error_total",
		Help:           "Number of garbage collector resources sync errors",
		StabilityLevel: metrics.ALPHA,
	})
	registry.MustRegister(c)
	return c
}
