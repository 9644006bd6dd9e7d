// SPDX-License-Identifier: Apache-2.0

// Package pacing decides when a status is worth a write. While pods come and go
// a status changes many times a second, and nobody acts on most of the steps in
// between: they may wait for a moment, in which the next one mostly replaces
// them. What people and controllers wait for is written at once.
package pacing

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// How long a status may wait, from the moment it first differs from the one that
// is written.
const (
	// Now is for results: all is as it should be, or something is wrong.
	Now = time.Duration(0)
	// Soon is for steps that others build upon, as more available replicas.
	Soon = 200 * time.Millisecond
	// Later is for steps that only tell how far something has come. The more
	// statuses wait, the longer each does: up to Latest.
	Later = time.Second
	// Latest bounds the wait when much happens at once.
	Latest = 10 * time.Second
)

// crowd is how many waiting statuses make Later a second longer: so many steps in
// between are written in a second at most, until Latest is reached.
const crowd = 25

// Pacer remembers since when statuses wait. Safe for concurrent use. A new run
// begins without memory, so what waited then waits once more.
type Pacer[K comparable] struct {
	clock clock.PassiveClock

	mu  sync.Mutex
	due map[K]time.Time
}

// New makes a pacer without memory.
func New[K comparable](c clock.PassiveClock) *Pacer[K] {
	return &Pacer[K]{clock: c, due: map[K]time.Time{}}
}

// Hold says how long a status that differs, and is of that urgency, still has to
// wait; 0: it is to be written now, and the wait is over. A wait is never longer
// than the most urgent step since its beginning allows.
func (p *Pacer[K]) Hold(key K, urgency time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	due, waits := p.due[key]
	if urgency == Later {
		urgency = min(Later*time.Duration(1+len(p.due)/crowd), Latest)
	}
	if latest := now.Add(urgency); !waits || latest.Before(due) {
		due = latest
	}
	left := due.Sub(now)
	if left <= 0 {
		delete(p.due, key)
		return 0
	}
	p.due[key] = due
	return left
}

// Forget ends the wait of a key whose status does not differ any more, or that
// is gone.
func (p *Pacer[K]) Forget(key K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due, key)
}

// Spacer keeps what is done for a key apart, so that what comes thick and fast is
// done together; what comes alone waits for nothing. Safe for concurrent use.
type Spacer[K comparable] struct {
	clock clock.PassiveClock
	gap   time.Duration

	mu   sync.Mutex
	last map[K]time.Time
}

// NewSpacer keeps things that far apart.
func NewSpacer[K comparable](c clock.PassiveClock, gap time.Duration) *Spacer[K] {
	return &Spacer[K]{clock: c, gap: gap, last: map[K]time.Time{}}
}

// Did notes that it was done just now.
func (s *Spacer[K]) Did(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[key] = s.clock.Now()
}

// Wait is how long it should wait until it is done again, at most the gap.
func (s *Spacer[K]) Wait(key K) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.last[key]
	if !ok {
		return 0
	}
	return min(max(s.gap-s.clock.Since(last), 0), s.gap)
}

// Forget drops a key that is gone.
func (s *Spacer[K]) Forget(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, key)
}
