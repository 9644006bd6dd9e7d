// SPDX-License-Identifier: Apache-2.0

package informer

import "errors"

// Warmth keeps informers running for nobody in particular, so that whoever leases
// them next finds full caches. It is not safe for concurrent use.
type Warmth struct {
	leases map[string]*Lease
}

// Keep makes the kinds of a pool the ones that are kept warm. New ones are leased
// before old ones are given back, so what stays does not notice. The error joins
// those of kinds that could not be leased; the others are.
func (w *Warmth) Keep(p *Pool, kinds []Source) (err error) {
	now := make(map[string]*Lease, len(kinds))
	for _, k := range kinds {
		if now[k.key()] != nil {
			continue
		}
		lease, failed := p.Acquire(k)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		now[k.key()] = lease
	}
	w.Release()
	w.leases = now
	return err
}

// Release gives all informers back.
func (w *Warmth) Release() {
	for _, lease := range w.leases {
		lease.Release()
	}
	w.leases = nil
}
