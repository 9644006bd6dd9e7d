// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/util/flowcontrol"
)

type slow struct{ begun, end chan struct{} }

func (s slow) RoundTrip(*http.Request) (*http.Response, error) {
	close(s.begun)
	<-s.end
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
}

func TestDrainLetsRequestsFinishAndRefusesOthers(t *testing.T) {
	next := slow{begun: make(chan struct{}), end: make(chan struct{})}
	g := &gate{next: next, latch: newLatch()}
	req, err := http.NewRequest(http.MethodPost, "https://server/", nil)
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := g.RoundTrip(req)
		result <- err
	}()
	<-next.begun
	g.close()
	if _, err := g.RoundTrip(req); !errors.Is(err, ErrStopping) {
		t.Errorf("a new request got %v, want ErrStopping", err)
	}
	select {
	case <-g.idle:
		t.Error("idle while a request is under way")
	default:
	}
	close(next.end)
	if err := <-result; err != nil {
		t.Errorf("the request under way got %v", err)
	}
	<-g.idle
	g.close() // again is fine
}

type quick struct{}

func (quick) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
}

func TestDrainLetsPassWhatFinishesAnotherRequest(t *testing.T) {
	latch := newLatch()
	g := &gate{next: quick{}, latch: latch}
	l := limiter{RateLimiter: flowcontrol.NewTokenBucketRateLimiter(100, 1), latch: latch}
	latch.close()
	<-latch.idle
	ctx := Finishing(t.Context())
	if err := l.Wait(ctx); err != nil {
		t.Error(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "https://server/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.RoundTrip(req); err != nil {
		t.Error(err)
	}
	if _, err := g.RoundTrip(req.WithContext(t.Context())); !errors.Is(err, ErrStopping) {
		t.Errorf("a request without the mark got %v, want ErrStopping", err)
	}
}

func TestDrainEndsWaitingForTheRateLimit(t *testing.T) {
	latch := newLatch()
	l := limiter{RateLimiter: flowcontrol.NewTokenBucketRateLimiter(0.001, 1), latch: latch}
	if err := l.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- l.Wait(context.Background()) }()
	latch.close()
	select {
	case err := <-result:
		if !errors.Is(err, ErrStopping) {
			t.Errorf("got %v, want ErrStopping", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still waiting")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	open := limiter{RateLimiter: flowcontrol.NewTokenBucketRateLimiter(0.001, 1), latch: newLatch()}
	open.TryAccept()
	if err := open.Wait(ctx); err == nil || errors.Is(err, ErrStopping) {
		t.Errorf("a cancelled caller got %v", err)
	}
}
