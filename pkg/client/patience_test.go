// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestPatience(t *testing.T) {
	answer := func(code int) (*http.Response, error) {
		return &http.Response{StatusCode: code, Status: http.StatusText(code), Body: io.NopCloser(strings.NewReader("x"))}, nil
	}
	refused := func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }
	for _, tc := range []struct {
		name, method string
		answers      []func() (*http.Response, error)
		asked, code  int
	}{
		{"an answer", "GET", []func() (*http.Response, error){func() (*http.Response, error) { return answer(200) }}, 1, 200},
		{"an outage", "GET", []func() (*http.Response, error){refused, refused, func() (*http.Response, error) { return answer(503) }, func() (*http.Response, error) { return answer(200) }}, 4, 200},
		{"credentials that are renewed", "GET", []func() (*http.Response, error){func() (*http.Response, error) { return answer(401) }, func() (*http.Response, error) { return answer(200) }}, 2, 200},
		{"an answer that is a refusal", "GET", []func() (*http.Response, error){func() (*http.Response, error) { return answer(403) }}, 1, 403},
		{"a write", "POST", []func() (*http.Response, error){refused}, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clocktesting.NewFakeClock(time.Now())
			asked := 0
			rt := NewPatience(klog.Background(), c).Wrap(roundTripper(func(*http.Request) (*http.Response, error) {
				asked++
				return tc.answers[asked-1]()
			}))
			r, err := http.NewRequest(tc.method, "http://x", nil)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan int)
			go func() {
				resp, err := rt.RoundTrip(r)
				if err != nil {
					done <- 0
					return
				}
				done <- resp.StatusCode
			}()
			for code := -1; code < 0; {
				select {
				case code = <-done:
					if code != tc.code || asked != tc.asked {
						t.Errorf("asked %d times, answer %d; want %d, %d", asked, code, tc.asked, tc.code)
					}
				case <-time.After(time.Millisecond):
					c.Step(patiencePause)
				}
			}
		})
	}
}

func TestPatienceEndsWithTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := clocktesting.NewFakeClock(time.Now())
	rt := NewPatience(klog.Background(), c).Wrap(roundTripper(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, syscall.ECONNREFUSED
	}))
	r, err := http.NewRequestWithContext(ctx, "GET", "http://x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(r); err == nil {
		t.Error("no error")
	}
}
