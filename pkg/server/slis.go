// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/component-base/metrics"
)

// slis are what the answers of health pages were, under upstream's names. They
// belong to the process: a change of the configuration does not reset them.
type slis struct {
	registry metrics.KubeRegistry
	last     *metrics.GaugeVec
	total    *metrics.CounterVec

	mu sync.Mutex
	// seen are the checks with series, by page.
	seen map[string]map[string]bool
}

func newSLIs() *slis {
	s := &slis{
		registry: metrics.NewKubeRegistry(),
		last: metrics.NewGaugeVec(&metrics.GaugeOpts{Namespace: "kubernetes", Name: "healthcheck", StabilityLevel: metrics.STABLE,
			Help: "This metric records the result of a single healthcheck."}, []string{"name", "type"}),
		total: metrics.NewCounterVec(&metrics.CounterOpts{Namespace: "kubernetes", Name: "healthchecks_total", StabilityLevel: metrics.STABLE,
			Help: "This metric records the results of all healthcheck."}, []string{"name", "type", "status"}),
		seen: map[string]map[string]bool{},
	}
	s.registry.MustRegister(s.last, s.total)
	// It fails where the system does not tell, and then the series is not there.
	_ = metrics.RegisterProcessStartTime(s.registry.Register)
	return s
}

// observe counts the checks of a page. The series of those that are gone, since
// their controllers do not run any more, go.
func (s *slis) observe(page string, checks []Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.seen[page]
	now := map[string]bool{}
	for _, c := range checks {
		status, value := "success", 1.0
		if c.Err != nil {
			status, value = "error", 0
		}
		s.last.WithLabelValues(c.Name, page).Set(value)
		s.total.WithLabelValues(c.Name, page, status).Inc()
		now[c.Name] = true
		delete(gone, c.Name)
	}
	for name := range gone {
		s.last.Delete(map[string]string{"name": name, "type": page})
		for _, status := range []string{"success", "error"} {
			s.total.Delete(map[string]string{"name": name, "type": page, "status": status})
		}
	}
	s.seen[page] = now
}

// serve shows the series, and resets them on DELETE.
func (s *slis) serve(mux *http.ServeMux) {
	mux.Handle("GET /metrics/slis", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("DELETE /metrics/slis", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last.Reset()
		s.total.Reset()
		clear(s.seen)
		content(w, "text/plain; charset=utf-8", []byte("metrics reset\n"))
	})
}
