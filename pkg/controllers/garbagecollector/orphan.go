// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// orphanPatches is how many dependents of one owner are patched at once.
const orphanPatches = 16

// orphan takes an owner that wants it out of the references of all its
// dependents, and then lets it go.
func (c *collector) orphan(ctx context.Context, uid types.UID) error {
	owner, found := c.graph.find(uid)
	if !found {
		return nil
	}
	dependents := c.graph.dependentsOf(uid)
	failed, err := each(dependents, orphanPatches, func(d dependent) error {
		err := c.removeOwners(ctx, d.identity, []types.UID{uid}, nil)
		if isAbsent(err) || errors.Is(err, errAbsent) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("object %s: %d of %d dependents cannot be orphaned, one because of: %w", owner.identity, failed, len(dependents), err)
	}
	if err := c.removeFinalizer(ctx, owner.identity, metav1.FinalizerOrphanDependents); err != nil {
		return fmt.Errorf("object %s: %w", owner.identity, err)
	}
	return nil
}

// each does something for all items, some at a time. It returns how often that
// failed, and the first error. A panic goes on in the caller's goroutine, where
// it ends the run and not the process.
func each[T any](items []T, parallel int, do func(T) error) (failed int, first error) {
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		crash any
	)
	slots := make(chan struct{}, parallel)
	for _, item := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			var err error
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				if r := recover(); r != nil {
					crash = r
				}
				if err != nil {
					failed++
				}
				if first == nil {
					first = err
				}
			}()
			err = do(item)
		})
	}
	group.Wait()
	if crash != nil {
		panic(crash)
	}
	return failed, first
}
