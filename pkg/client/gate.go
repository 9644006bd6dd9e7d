// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"k8s.io/client-go/util/flowcontrol"
)

// ErrStopping is what requests of a session that is being drained fail with. A
// controller must not report it: nothing went wrong, and the next run does the
// work.
var ErrStopping = errors.New("controller is stopping")

// Finishing marks requests that complete what another one began, such as the status
// that says what was done. They pass when the session is being drained, so that an
// orderly stop does not leave half of it; they end at the latest when the context
// does.
func Finishing(ctx context.Context) context.Context {
	return context.WithValue(ctx, finishing{}, true)
}

type finishing struct{}

func isFinishing(ctx context.Context) bool { return ctx.Value(finishing{}) != nil }

// gate lets requests pass until it is closed, and knows when the last one that
// passed has ended.
type gate struct {
	next http.RoundTripper

	*latch
}

// latch is the state that the gate of a session's transport shares with its
// rate limiter.
type latch struct {
	mu       sync.Mutex
	closed   bool
	inFlight int
	closing  chan struct{} // closed when the latch is
	idle     chan struct{} // closed when it is closed and nothing is in flight
}

func newLatch() *latch {
	return &latch{closing: make(chan struct{}), idle: make(chan struct{})}
}

func (l *latch) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.inFlight++
	return true
}

func (l *latch) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	if l.closed && l.inFlight == 0 {
		close(l.idle)
	}
}

func (l *latch) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	close(l.closing)
	if l.inFlight == 0 {
		close(l.idle)
	}
}

// RoundTrip counts a request as in flight until its answer has begun: writes
// are decided then, and watches would never end otherwise. Finishing ones are not
// counted: whoever sends them is waited for.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if isFinishing(r.Context()) {
		return g.next.RoundTrip(r)
	}
	if !g.enter() {
		return nil, ErrStopping
	}
	defer g.leave()
	return g.next.RoundTrip(r)
}

// limiter is a session's rate limit. Requests that wait in it when the session
// is drained fail at once.
type limiter struct {
	flowcontrol.RateLimiter
	*latch
}

// Wait is part of flowcontrol.RateLimiter.
func (l limiter) Wait(ctx context.Context) error {
	if isFinishing(ctx) {
		return l.RateLimiter.Wait(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	select {
	case <-l.closing:
		return ErrStopping
	default:
	}
	if l.TryAccept() {
		return nil
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-l.closing:
			cancel(ErrStopping)
		case <-done:
		}
	}()
	if err := l.RateLimiter.Wait(ctx); err != nil {
		if errors.Is(context.Cause(ctx), ErrStopping) {
			return ErrStopping
		}
		return err
	}
	return nil
}
