// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any)         { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, a ...any) { r.failures = append(r.failures, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...) }

func TestCounter(t *testing.T) {
	var counter Counter
	client := http.Client{Transport: counter.Wrap(RoundTripper(func(*http.Request) (*http.Response, error) {
		return httptest.NewRecorder().Result(), nil
	}))}
	tests := []struct{ method, path, verb, resource string }{
		{"GET", "/api/v1/pods?limit=500", "list", "pods"},
		{"GET", "/api/v1/pods?watch=true", "watch", "pods"},
		{"GET", "/api/v1/namespaces/a/pods/b", "get", "pods"},
		{"PATCH", "/api/v1/namespaces/a/pods/b/status", "patch", "pods/status"},
		{"POST", "/apis/apps/v1/namespaces/a/replicasets", "create", "replicasets"},
		{"PUT", "/apis/apps/v1/namespaces/a/deployments/b/status", "update", "deployments/status"},
		{"DELETE", "/apis/apps/v1/namespaces/a/replicasets/b", "delete", "replicasets"},
		{"DELETE", "/apis/apps/v1/namespaces/a/replicasets", "deletecollection", "replicasets"},
		{"GET", "/api/v1/namespaces", "list", "namespaces"},
		{"GET", "/api/v1/namespaces/a", "get", "namespaces"},
		{"PUT", "/api/v1/namespaces/a/finalize", "update", "namespaces/finalize"},
		{"GET", "/apis/apps/v1", "get", "/apis/apps/v1"},
		{"GET", "/readyz", "get", "/readyz"},
	}
	for _, test := range tests {
		counter.Reset()
		request, err := http.NewRequestWithContext(t.Context(), test.method, "http://host"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if counter.Count(test.verb, test.resource) != 1 || counter.Total() != 1 {
			t.Errorf("%s %s: %s", test.method, test.path, counter.String())
		}
	}
}

func TestGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "testdata", "a.golden")
	r := &recorder{}
	t.Setenv("UPDATE_GOLDEN", "1")
	Golden(r, path, "one\ntwo\n")
	t.Setenv("UPDATE_GOLDEN", "")
	Golden(r, path, []byte("one\ntwo\n"))
	if len(r.failures) > 0 {
		t.Fatalf("equal text: %v", r.failures)
	}
	Golden(r, path, "one\nthree\n")
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "three") {
		t.Errorf("other text: %v", r.failures)
	}
}

func TestNoLeaks(t *testing.T) {
	r := &recorder{}
	NoLeaks(r)
	stop := make(chan struct{})
	go func() { <-stop }()
	r.cleanups[0]()
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "TestNoLeaks") {
		t.Errorf("a leak: %v", r.failures)
	}
	close(stop)
	r.cleanups[0]()
	if len(r.failures) != 1 {
		t.Errorf("no leak: %v", r.failures)
	}
}

func TestEventuallyReportsTheLastError(t *testing.T) {
	r := &recorder{TB: t}
	calls := 0
	Eventually(r, 50*time.Millisecond, func() error {
		calls++
		return errors.New("not yet")
	})
	if calls < 2 || len(r.failures) != 1 || !strings.Contains(r.failures[0], "not yet") {
		t.Errorf("%d calls, %v", calls, r.failures)
	}
}
