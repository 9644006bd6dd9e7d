// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// streams is how many requests a connection may have open without a setting, as
// upstream.
const streams = 100

// front is all of a configuration but the port: certificates, rules, pages. Its
// connections are its own, so that none outlives a change for long.
type front struct {
	http *http.Server
	// pages are behind the rules. A request that comes after the front was
	// replaced is the successor's.
	pages     http.Handler
	successor atomic.Pointer[front]
	conns     sync.WaitGroup

	inlet  *inlet
	secure bool
	guard  *guard          // nil without protection
	own    *ownCertificate // nil with certificates from files
	close  time.Duration
	logger klog.Logger

	stop    context.CancelFunc
	started bool
	done    chan struct{}
}

// secure builds the front for a configuration. Last is the one before, or nil,
// for what need not be made again.
func (s *Server) secure(c *v1beta1.KubeControllerManagerConfiguration, last *front) (*front, error) {
	was := &front{}
	if last != nil {
		was = last
	}
	certificates, own, err := certificates(c.Serving, was.own, s.logger)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	guard, err := newGuard(ctx, c, was.guard, s.delegated, s.logger)
	if err != nil {
		stop()
		return nil, err
	}
	f := s.newFront(guard.wrap(s.pages.private(c.Serving, s.slis, s.logger)))
	f.secure, f.guard, f.own, f.stop = true, guard, own, stop
	limit := streams
	if n := int(c.Serving.HTTP2MaxStreamsPerConnection); n > 0 {
		limit = n
	}
	f.http.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: limit}
	f.http.Protocols = new(http.Protocols)
	f.http.Protocols.SetHTTP1(true)
	f.http.Protocols.SetHTTP2(!c.Serving.DisableHTTP2)
	settings := handshake(c.Serving, certificates)
	f.http.TLSConfig = &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: settings.NextProtos,
		// Here, so that the server does not refuse suites that HTTP/2 has no use for.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return settings, nil },
	}
	return f, nil
}

// plain builds the front for diagnostics, which asks nobody who they are.
func (s *Server) plain(c v1beta1.Serving) *front {
	f := s.newFront(local(s.pages.public(c, s.slis, s.logger)))
	f.stop = func() {}
	return f
}

func (s *Server) newFront(pages http.Handler) *front {
	f := &front{pages: pages, inlet: newInlet(), close: s.limits.close, logger: s.logger, done: make(chan struct{})}
	f.http = &http.Server{
		Handler:           s.handler(http.HandlerFunc(f.serve)),
		ReadHeaderTimeout: s.limits.header,
		IdleTimeout:       s.limits.idle,
		MaxHeaderBytes:    s.limits.headerBytes,
		ConnState:         f.count,
		// Handshakes that fail are the callers' matter.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return f
}

// serve answers by the rules of now, whatever they were when the connection was
// made, and has callers connect anew when that has changed.
func (f *front) serve(w http.ResponseWriter, r *http.Request) {
	now := f
	for next := f.successor.Load(); next != nil; next = next.successor.Load() {
		now = next
	}
	if now != f {
		w.Header().Set("Connection", "close")
	}
	now.pages.ServeHTTP(w, r)
}

func (f *front) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		f.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		f.conns.Done()
	}
}

// start serves what comes in.
func (f *front) start() {
	f.started = true
	go func() {
		defer close(f.done)
		serve := f.http.Serve
		if f.secure {
			serve = func(in net.Listener) error { return f.http.ServeTLS(in, "", "") }
		}
		if err := serve(f.inlet); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			f.logger.Error(err, "Serving ended")
		}
	}()
}

// retire ends the front for the one that replaces it. Connections stay for a
// moment, since closing one may cross a request that is on its way.
func (f *front) retire() {
	_ = f.inlet.Close()
	<-f.done
	gone := make(chan struct{})
	go func() { f.conns.Wait(); close(gone) }()
	patience := time.NewTimer(f.close)
	defer patience.Stop()
	select {
	case <-gone:
	case <-patience.C:
	}
	_ = f.http.Close()
	f.end()
}

// shutdown ends the front for good: only requests under way get a moment.
func (f *front) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), f.close)
	defer cancel()
	if err := f.http.Shutdown(ctx); err != nil {
		_ = f.http.Close()
	}
	f.end()
}

// end returns when nothing of the front works any more.
func (f *front) end() {
	_ = f.inlet.Close()
	if f.started {
		<-f.done
	}
	f.stop()
	if f.guard != nil {
		f.guard.wait()
	}
}
