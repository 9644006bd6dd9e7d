// SPDX-License-Identifier: Apache-2.0

package podcontrol_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

func TestSlowStart(t *testing.T) {
	tests := []struct {
		name       string
		n, limit   int
		allowed    int32 // calls that succeed
		batches    []int
		succeeded  int
		wantErrors int
	}{
		{name: "nothing"},
		{name: "one", n: 1, allowed: 1, batches: []int{1}, succeeded: 1},
		{name: "ten", n: 10, allowed: 10, batches: []int{1, 2, 4, 3}, succeeded: 10},
		{name: "ten, five succeed", n: 10, allowed: 5, batches: []int{1, 2, 4}, succeeded: 5, wantErrors: 2},
		{name: "none succeeds", n: 10, batches: []int{1}, wantErrors: 1},
		{name: "a limit", n: 14, limit: 4, allowed: 14, batches: []int{1, 2, 4, 4, 3}, succeeded: 14},
		{name: "a limit above", n: 3, limit: 500, allowed: 3, batches: []int{1, 2}, succeeded: 3},
	}
	for _, tc := range tests {
		var made atomic.Int32
		calls := make([]atomic.Int32, tc.n)
		succeeded, errs := podcontrol.SlowStart(context.Background(), tc.n, tc.limit, func(i int) error {
			calls[i].Add(1)
			if made.Add(1) > tc.allowed {
				return fmt.Errorf("call %d", i)
			}
			return nil
		})
		if succeeded != tc.succeeded || len(errs) != tc.wantErrors {
			t.Errorf("%s: %d succeeded, errors %v", tc.name, succeeded, errs)
		}
		tried := 0
		for _, b := range tc.batches {
			tried += b
		}
		for i := range calls {
			want := int32(0)
			if i < tried {
				want = 1
			}
			if got := calls[i].Load(); got != want {
				t.Errorf("%s: call %d was made %d times, want %d", tc.name, i, got, want)
			}
		}
	}
}

// A batch begins when the one before has ended, and its calls run together: each
// waits here until all of them have begun.
func TestBatches(t *testing.T) {
	want := []int{1, 2, 4, 3}
	var batch, arrived int
	all := make(chan struct{})
	lock := make(chan struct{}, 1)
	_, errs := podcontrol.SlowStart(context.Background(), 10, 0, func(int) error {
		lock <- struct{}{}
		arrived++
		gate := all
		if arrived == want[batch] {
			close(all)
			all, arrived = make(chan struct{}), 0
			batch++
		}
		<-lock
		<-gate
		return nil
	})
	if len(errs) > 0 || batch != len(want) {
		t.Errorf("%d batches, errors %v", batch, errs)
	}
}

func TestNoBatchBeginsAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls atomic.Int32
	succeeded, errs := podcontrol.SlowStart(ctx, 10, 0, func(int) error {
		if calls.Add(1) == 3 {
			cancel()
		}
		return nil
	})
	if succeeded != 3 || calls.Load() != 3 || len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("%d calls, %d succeeded, errors %v", calls.Load(), succeeded, errs)
	}
}

func TestTogetherKeepsTheOrderOfErrors(t *testing.T) {
	errs := podcontrol.Together(5, func(i int) error {
		if i%2 == 0 {
			return nil
		}
		return fmt.Errorf("call %d", i)
	})
	if diff := cmp.Diff("[call 1 call 3]", fmt.Sprint(errs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPanicsComeOut(t *testing.T) {
	var ended atomic.Int32
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "lost the plot") || ended.Load() != 2 {
			t.Errorf("recovered %q after %d calls had ended", r, ended.Load())
		}
	}()
	podcontrol.Together(3, func(i int) error {
		if i == 1 {
			panic("lost the plot")
		}
		ended.Add(1)
		return nil
	})
}
