// SPDX-License-Identifier: Apache-2.0

package podcontrol

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// SlowStart makes n calls in batches that double in size from 1 and never exceed
// limit (0 is no limit). The calls of a batch run together; after a batch in
// which one failed no other is begun, so that what cannot succeed is tried a few
// times and not n times. It returns how many calls succeeded and the errors in
// the order of their calls; the rest was not tried.
//
// A run that stops ends it too: the calls of the next batch then fail with
// client.ErrStopping before they are sent, and with the context no batch begins.
func SlowStart(ctx context.Context, n, limit int, call func(i int) error) (succeeded int, errs []error) {
	for begun, size := 0, 1; begun < n; size *= 2 {
		if err := ctx.Err(); err != nil {
			return succeeded, []error{err}
		}
		size = min(size, n-begun)
		if limit > 0 {
			size = min(size, limit)
		}
		errs = Together(size, func(i int) error { return call(begun + i) })
		succeeded += size - len(errs)
		if len(errs) > 0 {
			return succeeded, errs
		}
		begun += size
	}
	return succeeded, nil
}

// Together makes n calls at the same time and returns the errors in the order of
// the calls. A panic in one of them comes out of Together, when all have ended.
func Together(n int, call func(i int) error) []error {
	results := make([]error, n)
	panics := make([]any, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					panics[i] = fmt.Sprintf("%v\n%s", r, debug.Stack())
				}
			}()
			results[i] = call(i)
		})
	}
	calls.Wait()
	var errs []error
	for i := range n {
		if panics[i] != nil {
			panic(panics[i])
		}
		if results[i] != nil {
			errs = append(errs, results[i])
		}
	}
	return errs
}
