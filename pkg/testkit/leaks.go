// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"testing"

	"go.uber.org/goleak"
)

// NoLeaks fails the test when, at its end, goroutines run that did not run when
// NoLeaks was called. Call it first: cleanups run in reverse order, so it looks
// last. Tests that use it must not run in parallel with others.
//
// Idle connections are no leak: client-go caches transports, and their
// connections outlive the clients on purpose.
func NoLeaks(t testing.TB) {
	t.Helper()
	options := []goleak.Option{
		goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run"),
		goleak.IgnoreAnyFunction("net/http.(*http2clientConnReadLoop).run"),
	}
	t.Cleanup(func() {
		t.Helper()
		if err := goleak.Find(options...); err != nil {
			t.Error(err)
		}
	})
}
