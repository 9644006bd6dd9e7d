// SPDX-License-Identifier: Apache-2.0

// Package expectations remembers which creations and deletions of children a
// controller has asked for and its cache has not shown yet. While some are
// outstanding the cache is behind, and a controller that counted its children
// would ask for the same things again.
//
// A record belongs to one owner object: what is recorded for an owner says
// nothing about another one that was created later under the same name.
package expectations

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/clock"
)

// Patience is how long an expectation counts. An event that did not come until
// then never will.
const Patience = 5 * time.Minute

// Name of an object.
type Name = types.NamespacedName

// NameOf an object.
func NameOf(o metav1.Object) Name { return Name{Namespace: o.GetNamespace(), Name: o.GetName()} }

// Counts are plain expectations: each event counts. Safe for concurrent use.
type Counts struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	records map[Name]*record
}

// record is what is outstanding for one owner. The numbers may fall below zero:
// children also come and go on their own.
type record struct {
	owner      types.UID
	adds, dels int
	since      time.Time
	// leaving are the children whose end is expected, if they are known.
	leaving sets.Set[Name]
}

// NewCounts makes an empty set of expectations.
func NewCounts(c clock.PassiveClock) *Counts {
	return &Counts{clock: c, records: map[Name]*record{}}
}

// Satisfied says whether the owner may act on what its cache shows: nothing is
// expected, all of it has been observed, or it is overdue.
func (c *Counts) Satisfied(owner metav1.Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of(owner)
	return r == nil || r.adds <= 0 && r.dels <= 0 || c.clock.Since(r.since) > Patience
}

// Expect replaces what was expected for the owner.
func (c *Counts) Expect(owner metav1.Object, adds, dels int) { c.expect(owner, adds, dels, nil) }

func (c *Counts) expect(owner metav1.Object, adds, dels int, leaving sets.Set[Name]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records[NameOf(owner)] = &record{owner: owner.GetUID(), adds: adds, dels: dels, since: c.clock.Now(), leaving: leaving}
}

// Lower takes off what was observed, or what will not happen.
func (c *Counts) Lower(owner metav1.Object, adds, dels int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.of(owner); r != nil {
		r.adds -= adds
		r.dels -= dels
	}
}

// Outstanding is what is left to observe.
func (c *Counts) Outstanding(owner metav1.Object) (adds, dels int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.of(owner); r != nil {
		return r.adds, r.dels
	}
	return 0, 0
}

// Forget drops the record of an owner that was deleted. A newer owner of the
// same name keeps its own.
func (c *Counts) Forget(owner metav1.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of(owner) != nil {
		delete(c.records, NameOf(owner))
	}
}

// ForgetName drops the record of whatever had that name.
func (c *Counts) ForgetName(name Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, name)
}

func (c *Counts) of(owner metav1.Object) *record {
	if r := c.records[NameOf(owner)]; r != nil && r.owner == owner.GetUID() {
		return r
	}
	return nil
}

// Tracked are expectations that know which children are to vanish and count the
// end of each only once, though it is seen twice: when the child begins to
// terminate and when it is gone.
type Tracked struct{ *Counts }

// NewTracked makes an empty set of expectations.
func NewTracked(c clock.PassiveClock) Tracked { return Tracked{NewCounts(c)} }

// ExpectDeletions replaces what was expected for the owner by the end of these
// children.
func (t Tracked) ExpectDeletions(owner metav1.Object, children []Name) {
	leaving := sets.New(children...)
	t.expect(owner, 0, leaving.Len(), leaving)
}

// Deleted counts the end of a child, if it was expected and not counted yet.
func (t Tracked) Deleted(owner metav1.Object, child Name) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.of(owner); r != nil && r.leaving.Has(child) {
		r.leaving.Delete(child)
		r.dels--
	}
}
