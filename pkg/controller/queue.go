// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// QueueOptions describe a work queue and what is done with its keys.
type QueueOptions[K comparable] struct {
	// Name is the label of the queue's workqueue_* metrics.
	Name string
	// Workers take keys. Default: the count of the controller's section.
	Workers *Workers
	// Limiter spaces retries. Default: client-go's for controllers, 5 ms to
	// 1000 s per key, all together 10 a second.
	Limiter workqueue.TypedRateLimiter[K]
	// MaxRetries is how often a failing key is retried before it is given up
	// until its next event; 0 is for ever.
	MaxRetries int
	// Sync handles one key; the same key is never handled twice at a time. The
	// context outlives the stop signal, so that what has begun can be finished,
	// and ends when that takes too long. See RequeueAfter for the results.
	Sync func(ctx context.Context, key K) error
}

// RequeueAfter is a result of Sync that is no failure: the key comes back after
// the delay, and its count of failures stays as it is. Where the count should end,
// call AddAfter and return nil.
type RequeueAfter time.Duration

// Error is part of error.
func (r RequeueAfter) Error() string { return "requeue after " + time.Duration(r).String() }

// expected says whether an error is part of normal work, as of a cache that is a
// moment behind: it is retried like any other but is no news to an operator. An
// error says so itself, with a method Expected; conflicts, which mean that
// somebody else was quicker, are so too.
func expected(err error) bool {
	if apierrors.IsConflict(err) {
		return true
	}
	if all, ok := err.(utilerrors.Aggregate); ok { //nolint:errorlint // what is around it is no part of it
		return len(all.Errors()) > 0 && !slices.ContainsFunc(all.Errors(), func(err error) bool { return !expected(err) })
	}
	var e interface {
		error
		Expected() bool
	}
	return errors.As(err, &e) && e.Expected()
}

// outagePause is the time between two tries of a key while the API server does not
// answer.
const outagePause = 2 * time.Second

// Queue is the work queue of a Loop. Keys can be added while the loop runs;
// before and after, they are not wanted: everything is added anew at the start.
type Queue[K comparable] struct {
	opts  QueueOptions[K]
	loop  *Loop
	inner atomic.Pointer[workqueue.TypedRateLimitingInterface[K]]

	mu      sync.Mutex
	target  int
	busy    []bool // by worker number
	stopped bool
	workers sync.WaitGroup
}

// NewQueue declares a queue of the loop. Nothing starts before Run.
func NewQueue[K comparable](l *Loop, opts QueueOptions[K]) *Queue[K] {
	if opts.Workers == nil {
		opts.Workers = l.env.Workers
	}
	q := &Queue[K]{opts: opts, loop: l}
	l.queues = append(l.queues, q)
	return q
}

// Add queues a key for now.
func (q *Queue[K]) Add(key K) { q.with(func(w workqueue.TypedRateLimitingInterface[K]) { w.Add(key) }) }

// AddAfter queues a key for later.
func (q *Queue[K]) AddAfter(key K, d time.Duration) {
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) { w.AddAfter(key, d) })
}

// AddRateLimited queues a key for when its rate limit allows.
func (q *Queue[K]) AddRateLimited(key K) {
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) { w.AddRateLimited(key) })
}

// Forget clears the count of a key's failures.
func (q *Queue[K]) Forget(key K) {
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) { w.Forget(key) })
}

// Len is how many keys wait now.
func (q *Queue[K]) Len() (n int) {
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) { n = w.Len() })
	return n
}

func (q *Queue[K]) with(f func(workqueue.TypedRateLimitingInterface[K])) {
	if w := q.inner.Load(); w != nil {
		f(*w)
	}
}

// open makes the queue itself, which has goroutines of its own.
func (q *Queue[K]) open() {
	limiter := q.opts.Limiter
	if limiter == nil {
		limiter = workqueue.DefaultTypedControllerRateLimiter[K]()
	}
	w := workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[K]{
		Name:            q.opts.Name,
		MetricsProvider: q.loop.env.queues,
		Clock:           q.loop.env.Clock,
	})
	q.inner.Store(&w)
}

// start lets workers take keys, as many as the count says, now and later.
func (q *Queue[K]) start() { q.opts.Workers.follow(q.resize) }

func (q *Queue[K]) resize(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.target = n
	if q.stopped {
		return
	}
	for len(q.busy) < n {
		q.busy = append(q.busy, false)
	}
	for i := range n {
		if !q.busy[i] {
			q.busy[i] = true
			q.workers.Go(func() { q.work(i) })
		}
	}
}

// surplus ends worker i when the count has shrunk below it.
func (q *Queue[K]) surplus(i int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i < q.target || q.stopped {
		return false
	}
	q.busy[i] = false
	return true
}

// stop refuses new keys; workers drop the ones that wait.
func (q *Queue[K]) stop() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) { w.ShutDown() })
}

func (q *Queue[K]) wait() {
	q.workers.Wait()
	// Without a worker, keys that were waiting would stay in the depth metric.
	q.with(func(w workqueue.TypedRateLimitingInterface[K]) {
		for key, done := w.Get(); !done; key, done = w.Get() {
			w.Done(key)
		}
	})
}

func (q *Queue[K]) work(i int) {
	w := *q.inner.Load()
	for {
		key, done := w.Get()
		if done {
			return
		}
		if q.surplus(i) {
			w.Done(key)
			w.Add(key)
			return
		}
		q.handle(w, key)
	}
}

func (q *Queue[K]) handle(w workqueue.TypedRateLimitingInterface[K], key K) {
	defer w.Done(key)
	if q.loop.stopping() {
		return
	}
	err := q.sync(key)
	var later RequeueAfter
	switch {
	case err == nil:
		w.Forget(key)
	case errors.Is(err, client.ErrStopping), q.loop.stopping():
	case errors.As(err, &later):
		w.AddAfter(key, time.Duration(later))
	case client.Unreachable(err):
		// No fault of the key: it does not count, and the key is there when the API
		// server is back.
		q.loop.env.Logger.V(4).Info("The API server does not answer, trying again", "queue", q.opts.Name, "key", key, "err", err)
		w.AddAfter(key, outagePause)
	case q.opts.MaxRetries > 0 && w.NumRequeues(key) >= q.opts.MaxRetries:
		q.loop.env.queues.Failed()
		q.loop.env.Logger.Error(err, "Sync failed, giving up until the next event", "queue", q.opts.Name, "key", key)
		w.Forget(key)
	case expected(err):
		q.loop.env.Logger.V(4).Info("Sync put off", "queue", q.opts.Name, "key", key, "reason", err)
		w.AddRateLimited(key)
	default:
		q.loop.env.queues.Failed()
		q.loop.env.Logger.Error(err, "Sync failed, will retry", "queue", q.opts.Name, "key", key, "failures", w.NumRequeues(key)+1)
		w.AddRateLimited(key)
	}
}

// sync turns a panic into an end of the whole run, which the manager reports
// and restarts; the process and other controllers go on.
func (q *Queue[K]) sync(key K) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in queue %s at key %v: %v\n%s", q.opts.Name, key, r, debug.Stack())
			q.loop.fail(err)
		}
	}()
	ctx, span := q.loop.env.trace(q.loop.work, q.opts.Name, key)
	defer func() {
		if later := RequeueAfter(0); errors.As(err, &later) {
			span.End(nil)
			return
		}
		span.End(err)
	}()
	return q.opts.Sync(ctx, key)
}
