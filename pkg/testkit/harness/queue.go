// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"maps"
)

// Queue is a work queue of the controller under test, as its metrics show it.
type Queue struct {
	scene  *Scene
	labels map[string]string
}

// Queue finds a queue by the name that its metrics bear.
func (s *Scene) Queue(name string) Queue {
	return Queue{scene: s, labels: map[string]string{"name": name}}
}

// Keys is how many keys were queued by now, and how many were handled.
func (q Queue) Keys() (added, done float64) {
	q.scene.T.Helper()
	// In this order, so that equal numbers mean that nothing was under way.
	done, _ = q.scene.Metric("workqueue_work_duration_seconds", q.labels)
	added, _ = q.scene.Metric("workqueue_adds_total", q.labels)
	return added, done
}

// Settles waits until no key is queued or being handled.
func (q Queue) Settles() {
	q.scene.T.Helper()
	q.scene.Eventually(func() error {
		if added, done := q.Keys(); added != done {
			return fmt.Errorf("%v of %v keys of %s are handled", done, added, q.labels["name"])
		}
		return nil
	})
}

// Serves does something that must queue keys, and waits until they are handled.
func (q Queue) Serves(do func()) {
	q.scene.T.Helper()
	q.Settles()
	before, _ := q.Keys()
	do()
	q.scene.Eventually(func() error {
		if added, _ := q.Keys(); added == before {
			return fmt.Errorf("no key of %s was queued", q.labels["name"])
		}
		return nil
	})
	q.Settles()
}

// Idle does something that must queue keys, but lead to no request that writes.
func (q Queue) Idle(do func()) {
	q.scene.T.Helper()
	q.Settles()
	before := q.scene.Writes()
	q.Serves(do)
	if after := q.scene.Writes(); !maps.Equal(before, after) {
		q.scene.T.Errorf("requests %v, before %v", after, before)
	}
}
