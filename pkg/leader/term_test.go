// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// busy is a lock that somebody else writes to before each of the first updates.
type busy struct {
	resourcelock.Interface
	now     resourcelock.LeaderElectionRecord
	others  int
	updates int
}

func (b *busy) Identity() string { return "me" }

func (b *busy) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	now := b.now
	return &now, nil, nil
}

func (b *busy) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	if b.updates++; b.updates <= b.others {
		return apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "l", nil)
	}
	return nil
}

func TestRenewalsAmongOtherWrites(t *testing.T) {
	mine := resourcelock.LeaderElectionRecord{HolderIdentity: "me"}
	for name, test := range map[string]struct {
		now      resourcelock.LeaderElectionRecord
		others   int
		waits    bool // it does not have the lock yet
		first    bool // it has not read the lock since it wrote it
		updates  int
		conflict bool
	}{
		"alone":                     {now: mine, updates: 1},
		"by what was read long ago": {now: mine, others: 1, first: true, updates: 1, conflict: true},
		"an annotation":             {now: mine, others: 1, updates: 2},
		"many annotations":          {now: mine, others: renewals - 1, updates: renewals},
		"annotations all the time":  {now: mine, others: 100, updates: renewals, conflict: true},
		"somebody else has it":      {now: resourcelock.LeaderElectionRecord{HolderIdentity: "you"}, others: 1, updates: 1, conflict: true},
		"nobody has it":             {others: 1, updates: 1, conflict: true},
		"somebody else is to":       {now: resourcelock.LeaderElectionRecord{HolderIdentity: "me", PreferredHolder: "you"}, others: 1, updates: 1, conflict: true},
		"somebody was faster":       {now: mine, others: 1, waits: true, updates: 1, conflict: true},
	} {
		t.Run(name, func(t *testing.T) {
			lock := &busy{now: test.now, others: test.others}
			o := &observer{Interface: lock, read: !test.first, term: &term{elector: &Elector{lock: lock}, has: !test.waits, drop: func() {}}}
			err := o.Update(t.Context(), mine)
			if conflict(err) != test.conflict || err != nil && !test.conflict {
				t.Errorf("got %v", err)
			}
			if lock.updates != test.updates {
				t.Errorf("%d updates, want %d", lock.updates, test.updates)
			}
			if err == nil && o.read {
				t.Error("what was read is still trusted after a write")
			}
			if got := o.term.leads(); got != (err == nil || !test.waits) {
				t.Errorf("it leads: %v", got)
			}
		})
	}
}
