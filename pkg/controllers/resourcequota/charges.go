// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

const (
	// inFlight is the time that an object may need from where the API server charges
	// a quota for it, which is before it is stored, to where the cache has it. A count
	// within that time that lowers the number would take the charge back: the next
	// object would be admitted over the limit.
	inFlight = 500 * time.Millisecond
	// longestDoubt is how long a lower number waits for a quota that is charged all
	// the time.
	longestDoubt = 2 * time.Second
)

// charges knows when a quota changed last, and since when a lower number waits for
// it to stand still. It is safe for concurrent use.
type charges struct {
	clock clock.PassiveClock

	mu   sync.Mutex
	last map[key]sighting
	// doubts are lower numbers that wait.
	doubts *pacing.Pacer[key]
}

// sighting is a version of a quota, and when it was seen first.
type sighting struct {
	version string
	seen    time.Time
}

func newCharges(c clock.PassiveClock) *charges {
	return &charges{clock: c, last: map[key]sighting{}, doubts: pacing.New[key](c)}
}

// see notes the version of a quota.
func (c *charges) see(k key, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(k, version)
}

func (c *charges) note(k key, version string) sighting {
	if c.last[k].version != version {
		c.last[k] = sighting{version, c.clock.Now()}
	}
	return c.last[k]
}

// wait is how long a lower number than that in this version of a quota should wait
// before it is counted again; 0: it can be believed.
func (c *charges) wait(k key, version string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := inFlight - c.clock.Since(c.note(k, version).seen)
	if rest <= 0 {
		c.doubts.Forget(k)
		return 0
	}
	if c.doubts.Hold(k, longestDoubt) == 0 {
		return 0
	}
	return rest
}

// believe ends the doubt: the count does not lower the number.
func (c *charges) believe(k key) { c.doubts.Forget(k) }

// forget a quota that is gone.
func (c *charges) forget(k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubts.Forget(k)
	delete(c.last, k)
}

// lowers says whether less is in use of something than before.
func lowers(old, now corev1.ResourceList) bool {
	for name, amount := range now {
		if before, found := old[name]; found && amount.Cmp(before) < 0 {
			return true
		}
	}
	return false
}
