// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/go-logr/logr"

	"github.com/kube-live/kube-controller-manager/pkg/leader"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
)

func TestEndsHaveAStatus(t *testing.T) {
	d := &daemon{logger: logr.Discard()}
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"asked for":     {nil, 0},
		"a mistake":     {errors.New("no such file"), 1},
		"stuck":         {fmt.Errorf("%w: %w", leader.ErrHold, fmt.Errorf("%w: [job-controller]", manager.ErrStuck)), exitStuck},
		"too late":      {&ExitError{exitLate, errors.New("late")}, exitLate},
		"second signal": {&ExitError{exitSignal + 15, errors.New("twice")}, 143},
	} {
		if got := Exit(io.Discard, d.ended("terminated", tc.err)); got != tc.want {
			t.Errorf("%s: status %d, want %d", name, got, tc.want)
		}
	}
}
