// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/flowcontrol"
)

// limits are the request rates of all sessions of a factory. They may change
// while sessions are in use.
type limits struct{ now atomic.Pointer[limit] }

// limit is a rate in requests per second, and how many may go at once.
type limit struct {
	qps   float32
	burst int
}

func (l limit) times(s Scale) limit {
	return limit{l.qps * float32(max(s.QPS, 1)), l.burst * max(s.Burst, 1)}
}

// SetLimits changes the request rate, in requests per second, and the burst of
// every session that was made or will be. Those that scale them still do. A
// request that is waiting for its turn already keeps it.
func (f *Factory) SetLimits(qps float32, burst int) { f.limits.now.Store(&limit{qps, burst}) }

// bucket is the rate limit of one client: a multiple of its factory's.
type bucket struct {
	source *limits
	scale  Scale

	mu      sync.Mutex
	applied *limit
	tokens  *rate.Limiter
}

var _ flowcontrol.RateLimiter = (*bucket)(nil)

// current has the factory's present limits.
func (b *bucket) current() *rate.Limiter {
	now := b.source.now.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	if now == b.applied {
		return b.tokens
	}
	l := now.times(b.scale)
	per := rate.Limit(l.qps)
	if l.qps <= 0 {
		per = rate.Inf
	}
	if b.tokens == nil {
		b.tokens = rate.NewLimiter(per, l.burst)
	} else {
		b.tokens.SetLimit(per)
		b.tokens.SetBurst(l.burst)
	}
	b.applied = now
	return b.tokens
}

// TryAccept is part of flowcontrol.RateLimiter, as are the others.
func (b *bucket) TryAccept() bool { return b.current().Allow() }

func (b *bucket) Accept() { _ = b.current().Wait(context.Background()) }

func (b *bucket) Wait(ctx context.Context) error { return b.current().Wait(ctx) }

func (b *bucket) QPS() float32 { return b.source.now.Load().times(b.scale).qps }

func (b *bucket) Stop() {}
