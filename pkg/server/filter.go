// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"
)

// recovered answers a request whose handler panicked, in upstream's words.
func recovered(next http.Handler, logger klog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			switch {
			case p == nil:
			case p == http.ErrAbortHandler: //nolint:errorlint // the value itself is thrown
				panic(p)
			default:
				logger.Error(nil, "A request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				http.Error(w, "This request caused apiserver to panic. Look in the logs for details.", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// requestLevel is the verbosity from which on requests are logged.
const requestLevel = 3

// logged logs each request when it is done.
func logged(next http.Handler, logger klog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log := logger.V(requestLevel)
		if !log.Enabled() {
			next.ServeHTTP(w, r)
			return
		}
		begun, seen := time.Now(), &witness{ResponseWriter: w, code: http.StatusOK}
		defer func() {
			log.Info("HTTP", "verb", r.Method, "URI", r.RequestURI, "latency", time.Since(begun), "userAgent", r.UserAgent(), "srcIP", r.RemoteAddr, "resp", seen.code)
		}()
		next.ServeHTTP(seen, r)
	})
}

// witness remembers the code of an answer.
type witness struct {
	http.ResponseWriter
	code int
}

// WriteHeader is part of http.ResponseWriter.
func (w *witness) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is part of http.Flusher.
func (w *witness) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// bounded ends the reading of a body that does not come, and keeps answers out
// of caches.
func bounded(next http.Handler, body time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// Not for requests without: the deadline would end their handlers.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(body))
		}
		w.Header().Set("Cache-Control", "no-cache, private")
		next.ServeHTTP(w, r)
	})
}

// local refuses requests that were made for another host: a page in a browser
// must not get at a loopback port under a name of its own.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this port answers to loopback addresses only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
