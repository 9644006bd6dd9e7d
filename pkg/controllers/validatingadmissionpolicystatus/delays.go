// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"sync"
	"time"
)

const (
	// patience is how often a check is put off because a schema that the API server
	// says it has cannot be read. Then it is done without that schema: another part
	// of the API may be broken for good.
	patience = 5
	// pause is the time between two such tries.
	pause = 5 * time.Second
)

// delays counts, for each policy, how often the check of its generation was put
// off.
type delays struct {
	mu     sync.Mutex
	counts map[string]delay
}

type delay struct {
	generation int64
	count      int
}

func newDelays() *delays { return &delays{counts: map[string]delay{}} }

// another says whether the check may be put off once more, and counts that.
func (d *delays) another(policy string, generation int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.counts[policy]
	if now.generation != generation {
		now = delay{generation: generation}
	}
	now.count++
	d.counts[policy] = now
	return now.count <= patience
}

// forget the policy: it was checked, or it is gone.
func (d *delays) forget(policy string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.counts, policy)
}
