// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// Session is the access to the API that one run of a controller has.
type Session struct {
	// Typed, Metadata and Discovery act as the controller.
	Typed     kubernetes.Interface
	Metadata  metadata.Interface
	Discovery discovery.DiscoveryInterface
	// Events is for the event recorder: it has a rate limit of its own, so
	// that events never delay work, and it outlives the draining.
	Events kubernetes.Interface

	config *rest.Config
	latch  *latch
	events *latch
	// observe is told of every request, when it is set.
	observe func(method string, code int, took time.Duration)
}

// Observe has f called with every request that was sent: its HTTP method, the
// status of the answer, 0 without one, and the time until then. It must be set
// before the first request.
func (s *Session) Observe(f func(method string, code int, took time.Duration)) { s.observe = f }

// observer is the transport that tells of requests.
type observer struct {
	next    http.RoundTripper
	session *Session
}

// RoundTrip is part of http.RoundTripper.
func (o observer) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.session.observe == nil {
		return o.next.RoundTrip(r)
	}
	began := time.Now()
	resp, err := o.next.RoundTrip(r)
	code := 0
	if err == nil {
		code = resp.StatusCode
	}
	o.session.observe(r.Method, code, time.Since(began))
	return resp, err
}

// Scale multiplies the configured rate limit for a controller that needs more
// requests than others.
type Scale struct {
	QPS, Burst int
}

// discovery reads many small documents at once, rarely.
const (
	discoveryQPS   = 20
	discoveryBurst = 200
)

// NewSession makes the clients of one run. The account is the name of the
// controller's service account. It sends nothing.
func (f *Factory) NewSession(account string, ledger *Ledger, scale Scale) (*Session, error) {
	return f.session(account, f.forAccount(account), ledger, scale)
}

// NewRootSession is NewSession for a run that acts as the manager itself, whether
// or not the others have service accounts. The name ends the user agent.
func (f *Factory) NewRootSession(name string, ledger *Ledger, scale Scale) (*Session, error) {
	return f.session(name, f.Root(name), ledger, scale)
}

func (f *Factory) session(name string, cfg *rest.Config, ledger *Ledger, scale Scale) (*Session, error) {
	s := &Session{latch: newLatch(), events: newLatch()}
	s.config = s.gated(cfg, s.latch, ledger, &bucket{source: &f.limits, scale: scale})
	typed, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", name, err)
	}
	meta, err := metadata.NewForConfig(s.config)
	if err != nil {
		return nil, fmt.Errorf("metadata client of %s: %w", name, err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(s.gated(cfg, s.latch, nil, flowcontrol.NewTokenBucketRateLimiter(discoveryQPS, discoveryBurst)))
	if err != nil {
		return nil, fmt.Errorf("discovery client of %s: %w", name, err)
	}
	events, err := kubernetes.NewForConfig(s.gated(cfg, s.events, nil, &bucket{source: &f.limits}))
	if err != nil {
		return nil, fmt.Errorf("event client of %s: %w", name, err)
	}
	s.Typed, s.Metadata, s.Discovery, s.Events = typed, meta, disco, events
	return s, nil
}

// Config is the configuration behind Typed, for clients of other kinds. What is
// made from it is limited and drained with the session.
func (s *Session) Config() *rest.Config { return rest.CopyConfig(s.config) }

func (s *Session) gated(cfg *rest.Config, l *latch, ledger *Ledger, limit flowcontrol.RateLimiter) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.RateLimiter = limiter{RateLimiter: limit, latch: l}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		if ledger != nil {
			next = recorder{next: next, ledger: ledger}
		}
		return &gate{next: observer{next: next, session: s}, latch: l}
	})
	return cfg
}

// Refuse begins the draining: requests that are not under way fail with
// ErrStopping from now on.
func (s *Session) Refuse() { s.latch.close() }

// Close refuses events too. It returns when the last request has ended or the
// context has.
func (s *Session) Close(ctx context.Context) {
	s.latch.close()
	s.events.close()
	for _, l := range []*latch{s.latch, s.events} {
		select {
		case <-l.idle:
		case <-ctx.Done():
		}
	}
}
