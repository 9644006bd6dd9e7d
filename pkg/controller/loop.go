// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Loop is the frame of a controller: it attaches the declared watches, waits
// for the caches, lets the queues' workers run, and takes all down in an order
// that leaves nothing behind. A controller declares its parts in New and can
// then be the Loop, by embedding.
type Loop struct {
	env     Env
	queues  []queue
	watches []func() (*Attachment, error)
	kinds   []informer.Source // of watches
	tasks   []func(context.Context)

	work   context.Context
	ended  atomic.Bool
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	attached map[*Attachment]bool
	closed   bool

	declared []*Attachment
}

type queue interface {
	open()
	start()
	stop()
	wait()
}

// NewLoop makes an empty loop for a run.
func NewLoop(env Env) *Loop {
	return &Loop{env: env, attached: map[*Attachment]bool{}}
}

// Go declares a task that runs beside the workers. Its context ends with the
// stop signal and it must return then. A request that must not be torn at that
// moment is made with Work.
func (l *Loop) Go(task func(context.Context)) { l.tasks = append(l.tasks, task) }

// Every declares a task that makes a pass once the caches are full, and again an
// interval after the end of each pass. Passes have the context of Work.
func (l *Loop) Every(interval time.Duration, pass func(context.Context)) {
	l.Go(func(ctx context.Context) {
		pass(l.work)
		l.repeat(ctx, interval, pass)
	})
}

// Repeat is Every without the pass at the beginning.
func (l *Loop) Repeat(interval time.Duration, pass func(context.Context)) {
	l.Go(func(ctx context.Context) { l.repeat(ctx, interval, pass) })
}

func (l *Loop) repeat(ctx context.Context, interval time.Duration, pass func(context.Context)) {
	for l.Pause(ctx, interval) {
		pass(l.work)
	}
}

// Pause lets a task wait. It is false when the context ends meanwhile.
func (l *Loop) Pause(ctx context.Context, d time.Duration) bool {
	timer := l.env.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// Work is the context of syncs: it outlives the stop signal for as long as the
// manager grants. It is nil before Run.
func (l *Loop) Work() context.Context { return l.work }

// Run is part of Controller. A loop runs once.
func (l *Loop) Run(ctx context.Context) error {
	ctx, l.cancel = context.WithCancelCause(ctx)
	defer l.cancel(nil)
	var kill context.CancelFunc
	l.work, kill = context.WithCancel(context.WithoutCancel(ctx))
	defer kill()

	var tasks sync.WaitGroup
	defer l.takeDown(kill, &tasks)
	for _, q := range l.queues {
		q.open()
	}
	l.env.report(Syncing)
	if err := l.attach(); err != nil {
		return err
	}
	if err := l.waitForCaches(ctx); err != nil {
		return l.reason(ctx)
	}
	for _, q := range l.queues {
		q.start()
	}
	for _, task := range l.tasks {
		tasks.Go(func() { l.protect(func() { task(ctx) }) })
	}
	l.env.report(Running)
	<-ctx.Done()
	return l.reason(ctx)
}

// attach leases all declared caches, and only then lets handlers see them.
func (l *Loop) attach() error {
	for _, declare := range l.watches {
		a, err := declare()
		if err != nil {
			return err
		}
		l.declared = append(l.declared, a)
	}
	for _, a := range l.declared {
		if err := a.listen(); err != nil {
			return err
		}
	}
	return nil
}

// reason is the error that ended the run, or nil when it was told to stop.
func (l *Loop) reason(ctx context.Context) error {
	if err, ok := context.Cause(ctx).(*failure); ok {
		return err.error
	}
	return nil
}

// failure marks an error of the run itself among the causes of its end.
type failure struct{ error }

// fail ends the run with an error.
func (l *Loop) fail(err error) { l.cancel(&failure{err}) }

func (l *Loop) protect(f func()) {
	defer func() {
		if r := recover(); r != nil {
			l.fail(fmt.Errorf("panic in a task: %v\n%s", r, debug.Stack()))
		}
	}()
	f()
}

func (l *Loop) stopping() bool { return l.ended.Load() }

// takeDown stops in the order of the promise in the package comment.
func (l *Loop) takeDown(kill context.CancelFunc, tasks *sync.WaitGroup) {
	l.ended.Store(true)
	l.env.report(Stopping)
	l.cancel(nil)
	l.env.API.Refuse()
	hurry := l.env.Clock.NewTimer(l.env.grace)
	defer hurry.Stop()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-hurry.C():
			l.env.Logger.Info("Syncs did not end in time, cancelling their requests", "grace", l.env.grace)
			kill()
		case <-done:
		}
	}()
	tasks.Wait()
	for _, a := range l.close() {
		a.Detach()
	}
	for _, q := range l.queues {
		q.stop()
	}
	for _, q := range l.queues {
		q.wait()
	}
}

func (l *Loop) adopt(a *Attachment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.attached[a] = true
	}
	return !l.closed
}

func (l *Loop) disown(a *Attachment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.attached, a)
}

func (l *Loop) close() []*Attachment {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	left := make([]*Attachment, 0, len(l.attached))
	for a := range l.attached {
		left = append(left, a)
	}
	return left
}

const (
	// cachePoll is how often caches are looked at while they fill.
	cachePoll = 5 * time.Millisecond
	// barrierPatience bounds the wait for the controller's own writes. Watches
	// report progress at least once a minute; a cache that is silent for longer
	// is watching something the writes do not concern.
	barrierPatience = 75 * time.Second
)

// waitForCaches waits until every handler has seen every object, and no cache
// is older than what the controller's previous run wrote.
func (l *Loop) waitForCaches(ctx context.Context) error {
	for _, a := range l.declared {
		if err := l.poll(ctx, a.HasSynced); err != nil {
			return err
		}
	}
	patience, cancel := context.WithTimeout(ctx, barrierPatience)
	defer cancel()
	for _, a := range l.declared {
		if err := l.catchUp(patience, a); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.env.Logger.Info("A cache did not reach the last write of the previous run, going on", "resource", a.lease.Resource(), "err", err)
		}
	}
	return ctx.Err()
}

// catchUp is the freshness barrier of one cache.
func (l *Loop) catchUp(ctx context.Context, a *Attachment) error {
	gvr := a.lease.Resource()
	if l.env.ledger.Unknown(gvr.GroupResource()) {
		now, err := l.env.current(ctx, gvr)
		if err != nil {
			return fmt.Errorf("reading the current version of %s: %w", gvr.GroupResource(), err)
		}
		l.env.ledger.Settle(gvr.GroupResource(), now)
	}
	written := l.env.ledger.Written(gvr.GroupResource())
	if written == "" {
		return nil
	}
	return l.poll(ctx, func() bool {
		cmp, err := resourceversion.CompareResourceVersion(a.Store().LastStoreSyncResourceVersion(), written)
		return err != nil || cmp >= 0
	})
}

func (l *Loop) poll(ctx context.Context, ready func() bool) error {
	ticker := time.NewTicker(cachePoll)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// IsStopping says whether an error only means that the run is being stopped: it
// is not the object's fault and must appear neither in events nor in status.
func IsStopping(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, client.ErrStopping))
}
