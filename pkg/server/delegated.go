// SPDX-License-Identifier: Apache-2.0

package server

import (
	"time"

	"k8s.io/component-base/metrics"

	kcmmetrics "github.com/kube-live/kube-controller-manager/pkg/metrics"
)

// What the API server is asked.
const (
	authentication = "authn"
	authorization  = "authz"
)

// delegated are metrics about questions to the API server, under upstream's
// names. They belong to the process.
type delegated struct {
	registry metrics.KubeRegistry
	total    map[string]*metrics.CounterVec
	latency  map[string]*metrics.HistogramVec
	// access is about all callers, whoever knows them.
	access *kcmmetrics.Access
}

func newDelegated() *delegated {
	d := &delegated{registry: metrics.NewKubeRegistry(), total: map[string]*metrics.CounterVec{}, latency: map[string]*metrics.HistogramVec{}}
	d.access = kcmmetrics.NewAccess(d.registry)
	for _, what := range []string{authentication, authorization} {
		d.total[what] = metrics.NewCounterVec(&metrics.CounterOpts{
			Name: "apiserver_delegated_" + what + "_request_total", StabilityLevel: metrics.ALPHA,
			Help: "Number of HTTP requests partitioned by status code."}, []string{"code"})
		d.latency[what] = metrics.NewHistogramVec(&metrics.HistogramOpts{
			Name: "apiserver_delegated_" + what + "_request_duration_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "Request latency in seconds. Broken down by status code.",
			Buckets: []float64{0.25, 0.5, 0.7, 1, 1.5, 3, 5, 10}}, []string{"code"})
		d.registry.MustRegister(d.total[what], d.latency[what])
	}
	return d
}

func (d *delegated) observe(what string, err error, took time.Duration) {
	d.total[what].WithLabelValues(code(err)).Inc()
	d.latency[what].WithLabelValues(code(err)).Observe(took.Seconds())
}
