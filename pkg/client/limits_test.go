// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

func allowed(s *Session) (n int) {
	for s.config.RateLimiter.TryAccept() {
		if n++; n == 10_000 {
			break
		}
	}
	return n
}

func TestLimitsChangeUnderASession(t *testing.T) {
	f, err := NewFactoryForConfig(&rest.Config{Host: "https://127.0.0.1:1", QPS: 0.001, Burst: 3}, false)
	if err != nil {
		t.Fatal(err)
	}
	session := func(scale Scale) *Session {
		s, err := f.NewSession("x", NewLedger(), scale)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain, scaled := session(Scale{}), session(Scale{QPS: 20, Burst: 100})
	if a, b := allowed(plain), allowed(scaled); a != 3 || b != 300 {
		t.Errorf("%d and %d requests at once, want 3 and 300", a, b)
	}
	f.SetLimits(1e6, 7)
	if q := scaled.config.RateLimiter.QPS(); q != 20e6 {
		t.Errorf("scaled to %v per second", q)
	}
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for range 20 {
		if err := plain.config.RateLimiter.Wait(soon); err != nil {
			t.Fatalf("after the limit was raised: %v", err)
		}
	}
	f.SetLimits(0.001, 2)
	allowed(plain)
	if n := allowed(plain); n != 0 {
		t.Errorf("%d requests more than the new limit", n)
	}
	if n := allowed(session(Scale{})); n != 2 {
		t.Errorf("a new session may send %d at once, want 2", n)
	}
	f.SetLimits(-1, 1)
	if n := allowed(plain); n != 10_000 {
		t.Errorf("without a limit only %d", n)
	}
}
