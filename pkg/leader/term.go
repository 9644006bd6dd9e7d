// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// term is one life of client-go's elector: it waits for the lock, and may have
// it for a while.
type term struct {
	elector *Elector
	// won gets the context of having the lock.
	won chan context.Context
	// ended is closed when the elector has.
	ended chan struct{}
	// drop ends the elector. It neither renews nor releases after that.
	drop func()

	mu     sync.Mutex
	has    bool
	reason string
}

// why the lock was lost.
func (t *term) why() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reason != "" {
		return t.reason
	}
	return "it could not be renewed in time"
}

// observe looks at a record. Who has led and sees that another holds the lock, or
// is to hold it, gives up at once instead of trying until the deadline.
func (t *term) observe(r *resourcelock.LeaderElectionRecord) {
	me := t.elector.lock.Identity()
	t.elector.holder.Store(r.HolderIdentity)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.has:
		return
	case r.HolderIdentity != "" && r.HolderIdentity != me:
		t.reason = r.HolderIdentity + " holds it"
	case r.PreferredHolder != "" && t.elector.candidate != nil:
		t.reason = r.PreferredHolder + " is preferred"
	default:
		return
	}
	t.drop()
}

// observer is the lock, with a term that sees what passes.
type observer struct {
	resourcelock.Interface
	term *term
	// read says that the lock was read since it was written last.
	read bool
}

// Get is part of resourcelock.Interface.
func (o *observer) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	r, raw, err := o.Interface.Get(ctx)
	if err == nil {
		o.read = true
		o.term.observe(r)
	}
	return r, raw, err
}

// Create is part of resourcelock.Interface.
func (o *observer) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return o.wrote(r, o.Interface.Create(ctx, r))
}

// renewals is how often a renewal is tried that others were faster than.
const renewals = 5

// Update is part of resourcelock.Interface. Client-go updates the lock by what it
// read last; when that fails it counts it, reads the lock, and tries once more. Who
// has the lock then goes on trying while others annotate it at the same moments:
// that is no failure to report.
func (o *observer) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	err := o.Interface.Update(ctx, r)
	for range renewals - 1 {
		if !conflict(err) || !o.read || !o.keeps(ctx) {
			break
		}
		err = o.Interface.Update(ctx, r)
	}
	return o.wrote(r, err)
}

// keeps says whether the lock, as it is now, may be renewed without a further
// thought.
func (o *observer) keeps(ctx context.Context) bool {
	if !o.term.leads() {
		return false
	}
	now, _, err := o.Get(ctx)
	return err == nil && now.HolderIdentity == o.Identity() && now.PreferredHolder == ""
}

func (o *observer) wrote(r resourcelock.LeaderElectionRecord, err error) error {
	if err == nil {
		o.read = false
		o.term.mu.Lock()
		o.term.has = true
		o.term.mu.Unlock()
		o.term.elector.holder.Store(r.HolderIdentity)
	}
	return err
}

func conflict(err error) bool { return apierrors.IsConflict(err) }

// leads says whether the lock was won in this term.
func (t *term) leads() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.has
}
