// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// Options of a Pool.
type Options struct {
	// Resync is the period after which handlers are given all objects again.
	Resync time.Duration
	// Linger is how long an informer outlives its last lease.
	Linger time.Duration
	// Clock measures the linger. Default: the real one.
	Clock clock.WithDelayedExecution
}

// Pool keeps the informers that are leased. It is safe for concurrent use.
type Pool struct {
	clients Clients
	opts    Options

	mu      sync.Mutex
	members map[string]*member
	closed  bool
	// running is released when every informer's goroutine has ended.
	running sync.WaitGroup
}

// member is one running informer.
type member struct {
	key      string
	resource schema.GroupVersionResource
	informer cache.SharedIndexInformer
	stop     context.CancelFunc
	leases   int
	// expiry is pending while nobody holds a lease.
	expiry clock.Timer
	// epoch tells a pending expiry that a new lease has come and gone.
	epoch int
}

// NewPool makes an empty pool; it watches nothing until somebody leases.
func NewPool(clients Clients, opts Options) *Pool {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	return &Pool{clients: clients, opts: opts, members: map[string]*member{}}
}

// Lease keeps one informer running until it is released.
type Lease struct {
	pool    *Pool
	member  *member
	release sync.Once
}

// Acquire leases the informer of a kind and starts it when it is not running.
// It does not wait for the cache to fill.
func (p *Pool) Acquire(kind Source) (*Lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, context.Canceled
	}
	m := p.members[kind.key()]
	if m == nil {
		inf, err := kind.build(p.clients, p.opts.Resync)
		if err != nil {
			return nil, err
		}
		m = p.start(kind, inf)
	}
	if m.expiry != nil {
		m.expiry.Stop()
		m.expiry = nil
	}
	m.leases++
	m.epoch++
	return &Lease{pool: p, member: m}, nil
}

func (p *Pool) start(kind Source, inf cache.SharedIndexInformer) *member {
	ctx, stop := context.WithCancel(context.Background())
	m := &member{key: kind.key(), resource: kind.Resource(), informer: inf, stop: stop}
	p.members[m.key] = m
	p.running.Go(func() { inf.RunWithContext(ctx) })
	return m
}

// Informer is the leased informer. Handlers that are added to it must be
// removed before the lease is released.
func (l *Lease) Informer() cache.SharedIndexInformer { return l.member.informer }

// Resource is what the informer watches.
func (l *Lease) Resource() schema.GroupVersionResource { return l.member.resource }

// Release gives the informer back. Only the first call counts.
func (l *Lease) Release() {
	l.release.Do(func() { l.pool.giveBack(l.member) })
}

func (p *Pool) giveBack(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.leases--; m.leases > 0 || p.closed {
		return
	}
	epoch := m.epoch
	if p.opts.Linger <= 0 {
		p.end(m)
		return
	}
	m.expiry = p.opts.Clock.AfterFunc(p.opts.Linger, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if m.leases == 0 && m.epoch == epoch && p.members[m.key] == m {
			p.end(m)
		}
	})
}

func (p *Pool) end(m *member) {
	delete(p.members, m.key)
	m.stop()
}

// Close ends every informer, leased or not, and waits for their goroutines. A
// closed pool leases nothing.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, m := range p.members {
		if m.expiry != nil {
			m.expiry.Stop()
		}
		p.end(m)
	}
	p.mu.Unlock()
	p.running.Wait()
}

// SetLinger changes the linger of informers whose last lease is released from
// now on.
func (p *Pool) SetLinger(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opts.Linger = d
}

// Read is the typed view of a lease taken on the same kind.
func Read[T Object](_ Kind[T], l *Lease) Cache[T] { return View[T](l) }

// View is the view of a lease whose kind was chosen at run time. Objects that are
// no T are not seen.
func View[T Object](l *Lease) Cache[T] {
	return Cache[T]{indexer: l.member.informer.GetIndexer()}
}

// CacheOf is a typed view of any indexer, for tests that fill one by hand.
func CacheOf[T Object](kind Kind[T], objects ...T) Cache[T] {
	indexers := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	for name, f := range kind.indexes {
		indexers[name] = f
	}
	ix := cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers)
	for _, o := range objects {
		if err := ix.Add(o); err != nil {
			panic(err) // a test's object without a name
		}
	}
	return Cache[T]{indexer: ix}
}
