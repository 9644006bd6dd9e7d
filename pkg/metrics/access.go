// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strings"
	"time"

	"k8s.io/component-base/metrics"
)

// Access counts and times who may do what here, under upstream's names.
type Access struct {
	users, authn, authz        *metrics.CounterVec
	authnLatency, authzLatency *metrics.HistogramVec
}

// NewAccess registers the metrics.
func NewAccess(registry metrics.KubeRegistry) *Access {
	counter := func(name, help, label string) *metrics.CounterVec {
		return metrics.NewCounterVec(&metrics.CounterOpts{Name: name, Help: help, StabilityLevel: metrics.ALPHA}, []string{label})
	}
	histogram := func(name, help string) *metrics.HistogramVec {
		return metrics.NewHistogramVec(&metrics.HistogramOpts{Name: name, Help: help, StabilityLevel: metrics.ALPHA,
			Buckets: metrics.ExponentialBuckets(0.001, 2, 15)}, []string{"result"})
	}
	a := &Access{
		users:        counter("authenticated_user_requests", "Counter of authenticated requests broken out by username.", "username"),
		authn:        counter("authentication_attempts", "Counter of authenticated attempts.", "result"),
		authz:        counter("authorization_attempts_total", "Counter of authorization attempts broken down by result.", "result"),
		authnLatency: histogram("authentication_duration_seconds", "Authentication duration in seconds broken out by result."),
		authzLatency: histogram("authorization_duration_seconds", "Authorization duration in seconds broken out by result."),
	}
	registry.MustRegister(a.users, a.authn, a.authz, a.authnLatency, a.authzLatency)
	return a
}

// Authenticated notes an attempt: known says whether somebody was recognized, err
// why it could not be found out.
func (a *Access) Authenticated(user string, known bool, err error, took time.Duration) {
	result := "success"
	switch {
	case err != nil:
		result = "error"
	case !known:
		result = "failure"
	default:
		a.users.WithLabelValues(kindOfUser(user)).Inc()
	}
	a.authn.WithLabelValues(result).Inc()
	a.authnLatency.WithLabelValues(result).Observe(took.Seconds())
}

// Authorized notes the answer to one request.
func (a *Access) Authorized(allowed bool, err error, took time.Duration) {
	result := "no-opinion"
	switch {
	case allowed:
		result = "allowed"
	case err != nil:
		result = "error"
	}
	a.authz.WithLabelValues(result).Inc()
	a.authzLatency.WithLabelValues(result).Observe(took.Seconds())
}

// kindOfUser keeps names out of the metrics, in upstream's classes.
func kindOfUser(name string) string {
	switch {
	case name == "admin", name == "client", name == "kube_proxy", name == "kubelet", name == "system:serviceaccount:kube-system:default":
		return name
	case strings.Contains(name, "@"):
		return "email_id"
	}
	return "other"
}
