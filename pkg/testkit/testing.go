// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// startTimeout bounds the start of a plane in tests. It takes some 4 seconds; the
// rest is for machines that run many tests at once.
const startTimeout = 2 * time.Minute

// StartForTest starts a plane that stops with the test. A failed test prints the
// end of the components' logs.
func StartForTest(t testing.TB, opts Options) *Plane {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	p, err := Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.LogTail(15))
		}
		p.Stop()
	})
	return p
}

// Shared is one plane for all tests of a package. It starts when the first test
// asks for it, so a run of tests that need no API server costs nothing.
type Shared struct {
	Options Options

	once  sync.Once
	plane *Plane
	err   error
}

// Main runs the package's tests and stops the plane; call it from TestMain.
func (s *Shared) Main(m *testing.M) int {
	defer func() {
		if s.plane != nil {
			s.plane.Stop()
		}
	}()
	return m.Run()
}

// Plane returns the shared plane. A test that fails when a component has died is
// told so, with the end of that component's log.
func (s *Shared) Plane(t testing.TB) *Plane {
	t.Helper()
	s.once.Do(func() {
		// Not the test's context: other tests use the plane after this one.
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		s.plane, s.err = Start(ctx, s.Options)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	t.Cleanup(func() {
		if err := s.plane.Err(); err != nil {
			t.Error(err)
		}
	})
	return s.plane
}

// Eventually polls until check returns nil, and fails the test with the last
// error when that takes longer than timeout.
func Eventually(t testing.TB, timeout time.Duration, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, timeout, true,
		func(context.Context) (bool, error) {
			last = check()
			return last == nil, nil
		})
	if err != nil {
		t.Fatalf("still so after %s: %v", timeout, last)
	}
}
