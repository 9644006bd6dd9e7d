// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics"
)

// syncMetrics count what became of syncs, under upstream's names.
type syncMetrics struct {
	total   *metrics.CounterVec
	latency *metrics.HistogramVec
}

func newSyncMetrics(registry metrics.KubeRegistry) syncMetrics {
	const subsystem = "clustertrustbundle_publisher"
	m := syncMetrics{
		total: metrics.NewCounterVec(&metrics.CounterOpts{
			Subsystem: subsystem, Name: "sync_total", StabilityLevel: metrics.ALPHA,
			Help: "How many syncs of the signer's trust bundle there were.",
		}, []string{"code"}),
		latency: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Subsystem: subsystem, Name: "sync_duration_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "How long a sync of the signer's trust bundle took, in seconds.",
			Buckets: metrics.ExponentialBuckets(0.001, 2, 15),
		}, []string{"code"}),
	}
	registry.MustRegister(m.total, m.latency)
	return m
}

func (m syncMetrics) observe(took time.Duration, err error) {
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
