// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/metrics"
)

// registry is one run's. Those of component-base are kept in a list of the
// process for ever, with all their series; this one is free when the run is over.
type registry struct{ *prometheus.Registry }

var _ metrics.KubeRegistry = registry{}

func newRegistry() metrics.KubeRegistry { return registry{prometheus.NewRegistry()} }

// Register is part of metrics.KubeRegistry, as are the others. Without a version
// nothing is hidden here: Rules decide about that.
func (r registry) Register(c metrics.Registerable) error {
	if !c.Create(nil) {
		return nil
	}
	return r.Registry.Register(c)
}

func (r registry) MustRegister(cs ...metrics.Registerable) {
	for _, c := range cs {
		if c.Create(nil) {
			r.Registry.MustRegister(c)
		}
	}
}

func (r registry) CustomRegister(c metrics.StableCollector) error {
	if !c.Create(nil, c) {
		return nil
	}
	return r.Registry.Register(c)
}

func (r registry) CustomMustRegister(cs ...metrics.StableCollector) {
	for _, c := range cs {
		if c.Create(nil, c) {
			r.Registry.MustRegister(c)
		}
	}
}

func (r registry) RawMustRegister(cs ...prometheus.Collector) { r.Registry.MustRegister(cs...) }

func (r registry) Unregister(c metrics.Collector) bool { return r.Registry.Unregister(c) }

func (r registry) Gather() ([]*dto.MetricFamily, error) { return r.Registry.Gather() }

func (r registry) Registerer() prometheus.Registerer { return r.Registry }

func (r registry) Gatherer() prometheus.Gatherer { return r.Registry }

// Reset does nothing: the registry ends with its run.
func (r registry) Reset() {}

// RegisterMetaMetrics does nothing: Hub counts for all registries.
func (r registry) RegisterMetaMetrics() {}
