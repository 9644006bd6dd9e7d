// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics"
)

const subsystem = "statefulset_controller"

// runMetrics are those of one run. The gauges exist only where rolling updates
// know a maxUnavailable; the series of a set leave with it.
type runMetrics struct {
	maxUnavailable *metrics.GaugeVec
	unavailable    *metrics.GaugeVec
	stale          *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	gauge := func(name, help string) *metrics.GaugeVec {
		return metrics.NewGaugeVec(&metrics.GaugeOpts{
			Subsystem: subsystem, Name: name, Help: help, StabilityLevel: metrics.ALPHA,
		}, []string{"statefulset_namespace", "statefulset_name", "pod_management_policy"})
	}
	m := &runMetrics{
		maxUnavailable: gauge("statefulset_max_unavailable", "Number of pods that a rolling update of the StatefulSet may make unavailable."),
		unavailable:    gauge("statefulset_unavailable_replicas", "Number of unavailable pods of the StatefulSet, as its rolling update found them."),
		stale: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem:      subsystem,
			Name:           "stale_sync_skips_total",
			Help:           "Number of syncs put off because a cache did not show the last write yet.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"group", "resource"}),
	}
	registry.MustRegister(m.maxUnavailable, m.unavailable, m.stale)
	return m
}

func (m *runMetrics) skipped(r schema.GroupResource) {
	m.stale.WithLabelValues(r.Group, r.Resource).Inc()
}

// forget drops the series of a set that is gone.
func (m *runMetrics) forget(set *appsv1.StatefulSet) {
	of := map[string]string{"statefulset_namespace": set.Namespace, "statefulset_name": set.Name, "pod_management_policy": string(set.Spec.PodManagementPolicy)}
	m.maxUnavailable.Delete(of)
	m.unavailable.Delete(of)
}

func observe(g *metrics.GaugeVec, set *appsv1.StatefulSet, n int) {
	g.WithLabelValues(set.Namespace, set.Name, string(set.Spec.PodManagementPolicy)).Set(float64(n))
}
