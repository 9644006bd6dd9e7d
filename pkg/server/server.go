// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// Limits of a connection, as upstream's server has them.
const (
	headerTimeout  = 32 * time.Second
	idleTimeout    = 90 * time.Second
	maxHeaderBytes = 1 << 20
	// closeTimeout is what requests under way get when a listener goes.
	closeTimeout = 2 * time.Second
)

// Server is a part of the manager.
type Server struct {
	routes func(v1beta1.Serving) http.Handler
	logger klog.Logger

	mu   sync.Mutex
	live *instance
}

// instance is the server of one configuration.
type instance struct {
	listener net.Listener
	http     *http.Server
	address  string
	// front is what requests and handshakes go through; it can be exchanged
	// while the listener stays.
	front atomic.Pointer[front]
	done  chan struct{}
}

// front is all of a configuration but the listener.
type front struct {
	handler http.Handler
	tls     *tls.Config
	close   context.CancelFunc
}

// New makes a server that serves nothing yet. Routes makes the pages.
func New(routes func(v1beta1.Serving) http.Handler, logger klog.Logger) *Server {
	return &Server{routes: routes, logger: logger}
}

// Prepare is part of manager.Part.
func (s *Server) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Serving) {
		return nil, nil, nil
	}
	c := now.Config
	if c.Serving.Port == 0 {
		return func() { s.replace(nil) }, nil, nil
	}
	f, err := s.front(c)
	if err != nil {
		return nil, nil, err
	}
	address := net.JoinHostPort(c.Serving.BindAddress, strconv.Itoa(int(c.Serving.Port)))
	s.mu.Lock()
	live := s.live
	s.mu.Unlock()
	if live != nil && live.address == address {
		return func() { live.exchange(f) }, f.close, nil
	}
	in, err := s.listen(address, f)
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return func() { s.replace(in) }, in.shutdown, nil
}

func (s *Server) front(c *v1beta1.KubeControllerManagerConfiguration) (*front, error) {
	ctx, cancel := context.WithCancel(context.Background())
	guard, err := newGuard(ctx, c)
	if err != nil {
		cancel()
		return nil, err
	}
	certificates, err := certificates(c.Serving, s.logger)
	if err != nil {
		cancel()
		return nil, err
	}
	return &front{
		handler: recovered(guard.wrap(s.routes(c.Serving)), s.logger),
		tls:     handshake(c.Serving, certificates),
		close:   cancel,
	}, nil
}

// listen serves already: the old listener is closed only at the commit.
func (s *Server) listen(address string, f *front) (*instance, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("failed to create listener: failed to listen on %s: %w", address, err)
	}
	in := &instance{listener: l, address: address, done: make(chan struct{})}
	in.front.Store(f)
	in.http = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in.front.Load().handler.ServeHTTP(w, r) }),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// Handshakes that fail are the callers' matter.
		ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         []string{"h2", "http/1.1"},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return in.front.Load().tls, nil },
		},
	}
	go func() {
		defer close(in.done)
		if err := in.http.ServeTLS(l, "", ""); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error(err, "Serving ended", "address", address)
		}
	}()
	s.logger.Info("Serving securely", "address", l.Addr().String())
	return in, nil
}

func (in *instance) exchange(f *front) { in.front.Swap(f).close() }

func (in *instance) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := in.http.Shutdown(ctx); err != nil {
		_ = in.http.Close()
	}
	<-in.done
	in.front.Load().close()
}

func (s *Server) replace(in *instance) {
	s.mu.Lock()
	old := s.live
	s.live = in
	s.mu.Unlock()
	if old != nil {
		old.shutdown()
	}
}

// Close ends serving.
func (s *Server) Close() { s.replace(nil) }

// Address is where the server listens, or "".
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		return ""
	}
	return s.live.listener.Addr().String()
}

// recovered answers a request whose handler panicked.
func recovered(next http.Handler, logger klog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the value itself is thrown
				logger.Error(nil, "A request panicked", "path", r.URL.Path, "panic", p)
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		w.Header().Set("Cache-Control", "no-cache, private")
		next.ServeHTTP(w, r)
	})
}
