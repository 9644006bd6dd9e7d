// SPDX-License-Identifier: Apache-2.0

package rootca

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics"
)

// SyncMetrics count what became of a publisher's syncs, under upstream's names.
type SyncMetrics struct {
	total   *metrics.CounterVec
	latency *metrics.HistogramVec
}

// NewSyncMetrics registers the metrics of the publisher of what, under a subsystem.
func NewSyncMetrics(registry metrics.KubeRegistry, subsystem, what string) SyncMetrics {
	m := SyncMetrics{
		total: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem: subsystem, Name: "sync_total", StabilityLevel: metrics.ALPHA,
			Help: "How many syncs of " + what + " there were.",
		}, []string{"code"}),
		latency: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Subsystem: subsystem, Name: "sync_duration_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "How long a sync of " + what + " took, in seconds.",
			Buckets: metrics.ExponentialBuckets(0.001, 2, 15),
		}, []string{"code"}),
	}
	registry.MustRegister(m.total, m.latency)
	return m
}

// Observe counts a sync.
func (m SyncMetrics) Observe(took time.Duration, err error) {
	c := strconv.Itoa(code(err))
	m.total.WithLabelValues(c).Inc()
	m.latency.WithLabelValues(c).Observe(took.Seconds())
}

// code stands for the outcome of a sync: the API server's answer where it gave
// one.
func code(err error) int {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &status):
		return int(status.Status().Code)
	default:
		return http.StatusInternalServerError
	}
}
