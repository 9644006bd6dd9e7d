// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

const (
	// patiencePause is the time between two tries to reach an API server that does
	// not answer, so it is about what a recovery takes to be noticed.
	patiencePause = time.Second
	// complaintPeriod is the time between two messages about one outage.
	complaintPeriod = 30 * time.Second
)

// Patience asks again what was asked of an API server that does not answer, until
// it does or the caller gives up. Caches are filled through it: a caller that is
// told of each failure waits ever longer between its tries, and would notice the
// end of a long outage half a minute late.
type Patience struct {
	logger klog.Logger
	clock  clock.Clock

	mu sync.Mutex
	// silent is since when there was no answer, complained when that was last said.
	silent, complained time.Time
}

// NewPatience makes one for all clients that share a way to the API server.
func NewPatience(logger klog.Logger, c clock.Clock) *Patience {
	return &Patience{logger: logger, clock: c}
}

// Wrap is for rest.Config.Wrap.
func (p *Patience) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) { return p.roundTrip(next, r) })
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip is part of http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (p *Patience) roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	for {
		resp, err := next.RoundTrip(r)
		if r.Method != http.MethodGet || !unanswered(resp, err) || r.Context().Err() != nil {
			p.answered()
			return resp, err
		}
		p.complain(resp, err)
		timer := p.clock.NewTimer(patiencePause)
		select {
		case <-timer.C():
		case <-r.Context().Done():
			timer.Stop()
			return resp, err
		}
		if resp != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
			_ = resp.Body.Close()
		}
	}
}

// unanswered says whether the API server could not be reached, is starting, or
// does not accept credentials that may be about to be renewed.
func unanswered(resp *http.Response, err error) bool {
	if err != nil {
		return Unreachable(err)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Unreachable says whether an error means that the API server was not reached or
// could not answer anything: no fault of what was asked. A request that failed so
// may have had its effect.
func Unreachable(err error) bool {
	return utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsUnauthorized(err)
}

func (p *Patience) complain(resp *http.Response, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if p.silent.IsZero() {
		p.silent = now
	}
	if now.Sub(p.complained) < complaintPeriod {
		return
	}
	p.complained = now
	reason := ""
	if err != nil {
		reason = err.Error()
	} else {
		reason = resp.Status
	}
	p.logger.Info("The API server does not answer, caches are asked for again every second", "reason", reason, "silent", now.Sub(p.silent).Round(time.Second))
}

func (p *Patience) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent.IsZero() {
		return
	}
	p.logger.Info("The API server answers again", "silent", p.clock.Since(p.silent).Round(time.Second))
	p.silent, p.complained = time.Time{}, time.Time{}
}
