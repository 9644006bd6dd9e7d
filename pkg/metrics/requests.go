// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/component-base/metrics"
)

// Requests counts and times the API requests of one run, in the run's registry.
type Requests struct {
	controller string
	total      *metrics.CounterVec
	latency    *metrics.HistogramVec
}

// NewRequests registers the metrics of a controller's API requests.
func NewRequests(registry metrics.KubeRegistry, controller string) *Requests {
	r := &Requests{
		controller: controller,
		total: metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: Subsystem, Name: "api_requests_total",
			Help: "Total number of API requests of a controller's present run, by verb and class of the answer; error: there was no answer."},
			[]string{"controller", "verb", "code"}),
		latency: metrics.NewHistogramVec(&metrics.HistogramOpts{Subsystem: Subsystem, Name: "api_request_duration_seconds",
			Help:    "Time until an API request of a controller's present run was answered, without the wait for the rate limit.",
			Buckets: []float64{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}}, []string{"controller", "verb"}),
	}
	registry.MustRegister(r.total, r.latency)
	return r
}

// Observe notes a request of an HTTP method. Code is the status of the answer, 0
// when there was none.
func (r *Requests) Observe(method string, code int, took time.Duration) {
	verb, class := "other", "error"
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		verb = strings.ToLower(method)
	}
	if code >= 100 && code < 600 {
		class = strconv.Itoa(code/100) + "xx"
	}
	r.total.WithLabelValues(r.controller, verb, class).Inc()
	r.latency.WithLabelValues(r.controller, verb).Observe(took.Seconds())
}
