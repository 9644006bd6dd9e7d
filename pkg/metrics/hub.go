// SPDX-License-Identifier: Apache-2.0

// Package metrics keeps the metric registries of the process. Each run of a
// controller has a registry of its own that leaves with it, so a stopped
// controller has no series; what libraries register globally is served beside
// them.
package metrics

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

// Subsystem begins the names of the metrics that upstream does not have.
const Subsystem = "kube_controller_manager"

// Hub gathers all registries that are attached to it.
type Hub struct {
	// Process is the registry of the manager itself.
	Process metrics.KubeRegistry

	mu    sync.Mutex
	runs  []metrics.KubeRegistry
	rules Rules
}

// NewHub makes a hub with an empty process registry.
func NewHub() *Hub { return &Hub{Process: metrics.NewKubeRegistry()} }

// Prepare makes a registry for one run. It is served from Serve until detach is
// called, which may be called without.
func (h *Hub) Prepare() (registry metrics.KubeRegistry, detach func()) {
	registry = newRegistry()
	return registry, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.runs = slices.DeleteFunc(h.runs, func(r metrics.KubeRegistry) bool { return r == registry })
	}
}

// Serve adds a prepared registry to what Gather returns.
func (h *Hub) Serve(registry metrics.KubeRegistry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs = append(h.runs, registry)
}

// SetRules changes what is served, from the next Gather on.
func (h *Hub) SetRules(r Rules) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rules = r
}

// Gather is part of prometheus.Gatherer.
func (h *Hub) Gather() ([]*dto.MetricFamily, error) {
	all := prometheus.Gatherers{legacyregistry.DefaultGatherer, h.Process}
	h.mu.Lock()
	for _, r := range h.runs {
		all = append(all, r)
	}
	rules := h.rules
	h.mu.Unlock()
	families, err := all.Gather()
	families = slices.DeleteFunc(families, isAbout)
	served := rules.apply(families)
	list := slices.Concat(served.families, rules.about(families, served))
	slices.SortFunc(list, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return list, err
}

// Runs is how many run registries are attached.
func (h *Hub) Runs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.runs)
}
