// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// recording is a way to the API server that notes what informers ask for. Who
// brings no token of its own is the manager.
type recording struct {
	kubeconfig string

	mu   sync.Mutex
	asks []string
	last time.Time
}

func record(t *testing.T) *recording {
	t.Helper()
	cfg := shared.Plane(t).ManagerConfig()
	manager, err := rest.TransportFor(cfg)
	do(t, err)
	other, err := rest.TransportFor(rest.AnonymousClientConfig(cfg))
	do(t, err)
	target, err := url.Parse(cfg.Host)
	do(t, err)
	r := &recording{last: time.Now()}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = transport(func(q *http.Request) (*http.Response, error) {
		if strings.HasSuffix(q.UserAgent(), "-informers") {
			r.note(q.URL.String())
		}
		if q.Header.Get("Authorization") != "" {
			return other.RoundTrip(q)
		}
		return manager.RoundTrip(q)
	})
	server := httptest.NewServer(proxy)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	c := clientcmdapi.NewConfig()
	c.Clusters["c"] = &clientcmdapi.Cluster{Server: server.URL}
	c.Contexts["c"] = &clientcmdapi.Context{Cluster: "c"}
	c.CurrentContext = "c"
	r.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	do(t, clientcmd.WriteToFile(*c, r.kubeconfig))
	return r
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip is part of http.RoundTripper.
func (f transport) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func (r *recording) note(ask string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks, r.last = append(r.asks, ask), time.Now()
}

// asked is every request of informers so far.
func (r *recording) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.asks...)
}

// quiet waits until informers have asked for at least so much, and nothing more
// for a while.
func (r *recording) quiet(t *testing.T, least int) {
	t.Helper()
	testkit.Eventually(t, timeout, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.asks) < least || time.Since(r.last) < 2*time.Second {
			return fmt.Errorf("%d requests, the last %s ago", len(r.asks), time.Since(r.last))
		}
		return nil
	})
}
