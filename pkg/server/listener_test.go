// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

type configuration = v1beta1.KubeControllerManagerConfiguration

// must applies a change to the usual configuration.
func (f *fixture) must(change func(*configuration)) {
	f.t.Helper()
	if err := f.apply(loaded(change)); err != nil {
		f.t.Fatal(err)
	}
}

// Each caller gets an answer while rules, certificates and addresses change.
func TestExchangesWithoutAGap(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	p := port(t)
	f.must(func(c *configuration) { c.Serving.Port = p })
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var answered atomic.Int64
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/healthz", p))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("%d, %v", resp.StatusCode, err)
				}
				answered.Add(1)
			}
		})
	}
	for i := range 30 {
		f.must(func(c *configuration) {
			c.Serving.Port = p
			c.Serving.DisableHTTP2 = i%2 == 0
			c.Serving.HTTP2MaxStreamsPerConnection = int32(i)
			c.Authorization.AlwaysAllowPaths = []string{"/healthz", fmt.Sprint("/", i)}
		})
		before := answered.Load()
		testkit.Eventually(t, 10*time.Second, func() error {
			if t.Failed() || answered.Load() > before+4 {
				return nil
			}
			return errors.New("nobody gets an answer")
		})
	}
	stop()
	callers.Wait()
}

// The same port on another address, or shared in another way, is opened while
// the old one is still open.
func TestSamePortAnotherSocket(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	p := port(t)
	foreign := func(share bool) error {
		l, err := listen(fmt.Sprint("127.0.0.1:", p), sharing{port: share})
		if err == nil {
			l.Close()
		}
		return err
	}
	for _, tc := range []struct {
		address string
		share   bool
	}{{"0.0.0.0", false}, {"127.0.0.1", false}, {"::", false}, {"127.0.0.1", true}, {"::", true}} {
		f.must(func(c *configuration) {
			c.Serving.BindAddress, c.Serving.Port, c.Serving.PermitPortSharing = tc.address, p, tc.share
		})
		for range 20 {
			if code, _, _ := f.getAt(fmt.Sprint("127.0.0.1:", p), "/healthz"); code != 200 {
				t.Fatalf("%+v: %d", tc, code)
			}
		}
		if err := foreign(false); err == nil {
			t.Errorf("%+v: who does not share gets the port", tc)
		}
		if err := foreign(true); tc.share && err != nil {
			t.Errorf("%+v: who shares does not get the port: %v", tc, err)
		}
	}
}

func TestRequestsUnderWayEndOrAreCut(t *testing.T) {
	f := newFixture(t)
	f.s.limits.close = 200 * time.Millisecond
	entered, release := make(chan struct{}), make(chan struct{})
	f.s.pages.Extra = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
			fmt.Fprint(w, "done")
		case <-r.Context().Done():
		}
	})
	p := port(t)
	f.must(func(c *configuration) { c.Serving.Port = p })
	type result struct {
		body string
		err  error
	}
	ask := func() chan result {
		c := make(chan result, 1)
		go func() {
			resp, err := insecure().Get(fmt.Sprintf("https://127.0.0.1:%d/slow", p))
			if err != nil {
				c <- result{err: err}
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			c <- result{string(body), err}
		}()
		<-entered
		return c
	}
	answer := ask()
	f.must(func(c *configuration) { c.Serving.Port = p; c.Serving.Profiling = false })
	release <- struct{}{}
	if got := <-answer; got.err != nil || got.body != "done" {
		t.Errorf("a request under way got %q, %v", got.body, got.err)
	}
	answer = ask()
	f.must(func(c *configuration) { c.Serving.Port = p })
	if got := <-answer; got.err == nil {
		t.Errorf("a request that does not end got %q", got.body)
	}
}

func TestDiagnosticsWithoutProtection(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	p := port(t)
	f.must(func(c *configuration) { c.Serving.Port = 0 })
	if f.s.DiagnosticsAddress() != "" {
		t.Error("diagnostics are served without being asked for")
	}
	f.must(func(c *configuration) { c.Serving.Port, c.Serving.InsecureDiagnosticsPort = 0, p })
	if want := fmt.Sprint("127.0.0.1:", p); f.s.DiagnosticsAddress() != want {
		t.Errorf("diagnostics are served at %s, want %s", f.s.DiagnosticsAddress(), want)
	}
	get := func(host, path string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", p, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := insecure().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, tc := range []struct {
		host, path string
		code       int
	}{
		{"localhost", "/healthz", 200}, {"127.0.0.1:1", "/metrics", 200}, {"[::1]:1", "/debug/pprof/", 200}, {"localhost", "/readyz", 200},
		{"localhost", "/configz", 404}, {"localhost", "/flagz", 404}, {"localhost", "/debug/flags/v", 404}, {"localhost", "/", 404},
		{"localhost", "/debug/controllers/known/graph", 404}, {"example.com", "/healthz", 403}, {"10.0.0.1", "/metrics", 403},
	} {
		if code := get(tc.host, tc.path); code != tc.code {
			t.Errorf("%s of %s: %d, want %d", tc.path, tc.host, code, tc.code)
		}
	}
	f.must(func(c *configuration) {
		c.Serving.Port, c.Serving.InsecureDiagnosticsPort, c.Serving.Profiling = 0, p, false
	})
	if code := get("localhost", "/debug/pprof/"); code != 404 {
		t.Errorf("profiles are served without profiling: %d", code)
	}
}

func TestNothingIsLeftOfAChangeThatDoesNotCome(t *testing.T) {
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	first, second := port(t), port(t)
	f.must(func(c *configuration) { c.Serving.Port = first })
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = f.apply(loaded(func(c *configuration) {
		c.Serving.Port, c.Serving.InsecureDiagnosticsPort = second, int32(taken.Addr().(*net.TCPAddr).Port)
	}))
	if err == nil || !strings.Contains(err.Error(), "failed to create listener: failed to listen on 127.0.0.1:") {
		t.Errorf("a taken port: %v", err)
	}
	commit, discard, err := f.prepare(loaded(func(c *configuration) { c.Serving.Port = second }))
	if err != nil || commit == nil {
		t.Fatal(err)
	}
	discard()
	if c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", second)); err == nil {
		c.Close()
		t.Error("the port of a discarded change is open")
	}
	if code, _, _ := f.get("/healthz"); code != 200 {
		t.Errorf("the old port: %d", code)
	}
}

func TestContentionProfiling(t *testing.T) {
	f := newFixture(t)
	p := port(t)
	set := func(on, profiling bool) {
		f.must(func(c *configuration) {
			c.Serving.Port, c.Serving.ContentionProfiling, c.Serving.Profiling = p, on, profiling
		})
	}
	var blocked int64
	// What is recorded, as seen by a goroutine that waits.
	records := func() bool {
		before, _ := runtime.BlockProfile(nil)
		for range 50 {
			c := make(chan struct{})
			go func() { runtime.Gosched(); close(c) }()
			<-c
		}
		r := make([]runtime.BlockProfileRecord, before+1000)
		n, _ := runtime.BlockProfile(r)
		var count int64
		for _, x := range r[:n] {
			for _, pc := range x.Stack() {
				if f := runtime.FuncForPC(pc); f != nil && strings.Contains(f.Name(), "TestContentionProfiling") {
					count += x.Count
				}
			}
		}
		grown := count > blocked
		blocked = count
		return grown
	}
	records() // what an earlier test has left
	for _, tc := range []struct{ on, profiling, want bool }{
		{false, true, false}, {true, true, true}, {true, false, false}, {true, true, true}, {false, true, false},
	} {
		if set(tc.on, tc.profiling); records() != tc.want {
			t.Errorf("%+v", tc)
		}
	}
}
