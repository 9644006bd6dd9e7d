// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestPassesAreAnIntervalApart(t *testing.T) {
	for name, test := range map[string]struct {
		declare func(*controller.Loop, time.Duration, func(context.Context))
		first   int // passes without any wait
	}{
		"every":  {(*controller.Loop).Every, 1},
		"repeat": {(*controller.Loop).Repeat, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			clock := clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			b.kit.Clock = clock
			var passes atomic.Int32
			_, stop := b.run(func(_ controller.Env, l *controller.Loop) {
				test.declare(l, time.Minute, func(ctx context.Context) {
					if ctx.Err() != nil {
						t.Error("a pass began with a context that has ended")
					}
					passes.Add(1)
				})
			})
			for steps := range 3 {
				testkit.Eventually(t, timeout, func() error {
					if !clock.HasWaiters() {
						return fmt.Errorf("it does not wait after %d intervals", steps)
					}
					return nil
				})
				if got := int(passes.Load()); got != test.first+steps {
					t.Errorf("%d passes after %d intervals, want %d", got, steps, test.first+steps)
				}
				clock.Step(time.Minute - time.Nanosecond)
				if !clock.HasWaiters() {
					t.Errorf("pass %d begins early", steps)
				}
				clock.Step(time.Nanosecond)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			if clock.HasWaiters() {
				t.Error("it waits after the end of the run")
			}
		})
	}
}
