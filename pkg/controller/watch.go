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

func (h Handler[T]) empty() bool { return h.Add == nil && h.Update == nil && h.Delete == nil }

// Watch declares that the loop reads a kind and receives its changes. The cache
// may be read while the loop runs.
func Watch[T informer.Object](l *Loop, kind informer.Kind[T], h Handler[T]) *informer.Cache[T] {
	c := new(informer.Cache[T])
	l.watches = append(l.watches, func() error {
		a, err := Attach(l, kind, h)
		if err != nil {
			return err
		}
		l.declared = append(l.declared, a)
		*c = informer.Read(kind, a.lease)
		return nil
	})
	return c
}

// Attachment is a leased informer with the loop's handler on it.
type Attachment struct {
	loop  *Loop
	lease *informer.Lease
	// registration is nil when the handler is empty.
	registration cache.ResourceEventHandlerRegistration
	detach       sync.Once
}

// Attach leases the informer of a kind that is known only at run time, and
// adds the handler. It does not wait for anything. The loop detaches at its end
// what was not detached before.
func Attach[T any](l *Loop, kind informer.Source, h Handler[T]) (*Attachment, error) {
	lease, err := l.env.pool.Acquire(kind)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", kind.Resource().GroupResource(), err)
	}
	a := &Attachment{loop: l, lease: lease}
	if !h.empty() {
		logger := l.env.Logger
		a.registration, err = lease.Informer().AddEventHandlerWithOptions(guard(l, h), cache.HandlerOptions{Logger: &logger})
		if err != nil {
			lease.Release()
			return nil, fmt.Errorf("watch %s: %w", kind.Resource().GroupResource(), err)
		}
	}
	if !l.adopt(a) {
		a.Detach()
		return nil, fmt.Errorf("watch %s: the loop is stopping", kind.Resource().GroupResource())
	}
	return a, nil
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
