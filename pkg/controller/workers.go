// SPDX-License-Identifier: Apache-2.0

package controller

import "sync"

// Workers is a worker count that can change while queues follow it.
type Workers struct {
	mu    sync.Mutex
	n     int
	watch []func(int)
}

// NewWorkers makes a count. Queues with a fixed number of workers are given one
// that nobody changes.
func NewWorkers(n int) *Workers { return &Workers{n: n} }

// Count is the current value.
func (w *Workers) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Set changes the value. Surplus workers end between two items; new ones start
// at once.
func (w *Workers) Set(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n = n
	for _, f := range w.watch {
		f(n)
	}
}

// Follow makes the count equal to another's from now on. A queue that must not
// begin before something has happened gets a count of 0, which then follows the
// one that is configured.
func (w *Workers) Follow(other *Workers) { other.follow(w.Set) }

// follow calls f with the value now and after each change.
func (w *Workers) follow(f func(int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch = append(w.watch, f)
	f(w.n)
}
