// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"runtime/debug"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Handler receives the changes of a kind. Nil functions are not called. All
// calls for one handler come one after the other; they should only queue.
type Handler[T any] struct {
	// Add is called for objects that are new, and at the start for every
	// object there is.
	Add func(T)
	// Update is called for changes, and with equal versions at a resync.
	Update func(old, new T)
	// Delete is called with the last state seen, which may be outdated when
	// the watch was interrupted.
	Delete func(T)
}

// Watch declares that the loop reads a kind and receives its changes. The cache
// may be read while the loop runs, by handlers too: all caches of the loop are
// there before the first handler is called, though they may still be filling.
func Watch[T informer.Object](l *Loop, kind informer.Kind[T], h Handler[T]) *informer.Cache[T] {
	c := new(informer.Cache[T])
	l.kinds = append(l.kinds, kind)
	l.watches = append(l.watches, func() (*Attachment, error) {
		a, err := lease(l, kind)
		if err != nil {
			return nil, err
		}
		*c = informer.Read(kind, a.lease)
		a.handler = guardUnlessEmpty(l, h)
		return a, nil
	})
	return c
}

// Attachment is a leased informer with the loop's handler on it.
type Attachment struct {
	loop  *Loop
	lease *informer.Lease
	// handler and registration are nil when there is nothing to call.
	handler      cache.ResourceEventHandler
	registration cache.ResourceEventHandlerRegistration
	detach       sync.Once
}

// Attach leases the informer of a kind that is known only at run time, and
// adds the handler. It does not wait for anything. The loop detaches at its end
// what was not detached before.
func Attach[T any](l *Loop, kind informer.Source, h Handler[T]) (*Attachment, error) {
	a, err := lease(l, kind)
	if err != nil {
		return nil, err
	}
	a.handler = guardUnlessEmpty(l, h)
	if err := a.listen(); err != nil {
		a.Detach()
		return nil, err
	}
	return a, nil
}

// lease makes an attachment that has no handler yet.
func lease(l *Loop, kind informer.Source) (*Attachment, error) {
	held, err := l.env.pool.Acquire(kind)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", kind.Resource().GroupResource(), err)
	}
	a := &Attachment{loop: l, lease: held}
	if !l.adopt(a) {
		held.Release()
		return nil, fmt.Errorf("watch %s: the loop is stopping", kind.Resource().GroupResource())
	}
	return a, nil
}

// listen adds the handler, if there is one.
func (a *Attachment) listen() (err error) {
	if a.handler == nil {
		return nil
	}
	logger := a.loop.env.Logger
	a.registration, err = a.lease.Informer().AddEventHandlerWithOptions(a.handler, cache.HandlerOptions{Logger: &logger})
	if err != nil {
		return fmt.Errorf("watch %s: %w", a.lease.Resource().GroupResource(), err)
	}
	return nil
}

// HasSynced says whether the cache is full and the handler has seen all of it.
func (a *Attachment) HasSynced() bool {
	if a.registration != nil {
		return a.registration.HasSynced()
	}
	return a.lease.Informer().HasSynced()
}

// Store is the cache of the attachment.
func (a *Attachment) Store() cache.Store { return a.lease.Informer().GetStore() }

// View is the typed view of an attachment's cache. Objects that are no T are not
// seen.
func View[T informer.Object](a *Attachment) informer.Cache[T] { return informer.View[T](a.lease) }

// Detach removes the handler, waits until it has ended, and gives the informer
// back. It must not be called from the handler itself.
func (a *Attachment) Detach() {
	a.detach.Do(func() {
		if a.registration != nil {
			if err := cache.ShutDownEventHandler(a.lease.Informer(), a.registration); err != nil {
				a.loop.env.Logger.Error(err, "Removing an event handler failed", "resource", a.lease.Resource())
			}
		}
		a.lease.Release()
		a.loop.disown(a)
	})
}

func guardUnlessEmpty[T any](l *Loop, h Handler[T]) cache.ResourceEventHandler {
	if h.Add == nil && h.Update == nil && h.Delete == nil {
		return nil
	}
	return guard(l, h)
}

// guard unpacks what client-go delivers, and turns a panic in a handler, which
// would end the process, into an end of the run.
func guard[T any](l *Loop, h Handler[T]) cache.ResourceEventHandler {
	protect := func(f func()) {
		defer func() {
			if r := recover(); r != nil {
				l.fail(fmt.Errorf("panic in an event handler: %v\n%s", r, debug.Stack()))
			}
		}()
		f()
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			if t, ok := obj.(T); ok && h.Add != nil {
				protect(func() { h.Add(t) })
			}
		},
		UpdateFunc: func(old, new any) {
			o, ok := old.(T)
			if n, ok2 := new.(T); ok && ok2 && h.Update != nil {
				protect(func() { h.Update(o, n) })
			}
		},
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if t, ok := obj.(T); ok && h.Delete != nil {
				protect(func() { h.Delete(t) })
			}
		},
	}
}
