// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import "k8s.io/component-base/metrics"

// Values of the label reason: why a pod is deleted.
const (
	reasonTerminated   = "terminated"
	reasonOutOfService = "out-of-service"
	reasonOrphaned     = "orphaned"
	reasonUnscheduled  = "unscheduled"
)

// runMetrics are those of one run.
type runMetrics struct {
	deleted, failed *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	m := &runMetrics{
		deleted: counter("force_delete_pods_total", "Number of pods that were deleted without a grace period, or should have been."),
		failed:  counter("force_delete_pod_errors_total", "Number of pods whose deletion without a grace period failed."),
	}
	registry.MustRegister(m.deleted, m.failed)
	return m
}

func counter(name, help string) *metrics.CounterVec {
	return metrics.NewCounterVec(&metrics.CounterOpts{
		Subsystem: "pod_gc_collector", Name: name, Help: help, StabilityLevel: metrics.ALPHA,
	}, []string{"namespace", "reason"})
}
