// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Pages are what there is to show. Functions are called for each request and
// must not wait.
type Pages struct {
	Metrics prometheus.Gatherer
	// Health, Live and Ready are the conditions of the process.
	Health, Live, Ready func() []Check
	// Configz is encoded as JSON.
	Configz func() any
	// Flags are the values of the flags by name, for /flagz.
	Flags func() map[string]string
	// Effect is the configuration in effect, for /statusz.
	Effect func() Effect
	// SetVerbosity changes how much is logged, until the configuration says
	// otherwise. Nil: it cannot be changed here.
	SetVerbosity func(level uint32) error
	// Debug is a controller's own page, or nil.
	Debug func(controller string) http.Handler
	// Extra answers what has no page here, to callers that may see its path. Nil:
	// nothing is there.
	Extra http.Handler
}

const debugPrefix = "/debug/controllers/"

// private are all pages; whoever asks for one was allowed to.
func (p *Pages) private(c v1beta1.Serving, s *slis, logger klog.Logger) http.Handler {
	mux := p.common(c, s, logger)
	mux.HandleFunc("GET /configz", p.configz)
	mux.HandleFunc("GET /flagz", p.flagz)
	mux.HandleFunc("GET /statusz", p.statusz)
	mux.HandleFunc("GET "+debugPrefix, p.debug)
	if c.Profiling && p.SetVerbosity != nil {
		verbosity(mux, p.SetVerbosity)
	}
	if p.Extra != nil {
		mux.Handle("/", p.Extra)
	}
	return mux
}

// public are the pages that a caller on the same machine may see.
func (p *Pages) public(c v1beta1.Serving, s *slis, logger klog.Logger) http.Handler {
	return p.common(c, s, logger)
}

// common are health, metrics and profiles.
func (p *Pages) common(c v1beta1.Serving, s *slis, logger klog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	h := healthPages{slis: s, logger: logger}
	h.serve(mux, "healthz", p.Health)
	h.serve(mux, "livez", p.Live)
	h.serve(mux, "readyz", p.Ready)
	mux.HandleFunc(liveness, h.short("livez", p.Live))
	mux.HandleFunc(readiness, h.short("readyz", p.Ready))
	mux.HandleFunc(deep, h.deep(p.Health, p.Ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Metrics, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError}))
	s.serve(mux)
	if c.Profiling {
		mux.Handle("/debug/pprof", http.RedirectHandler("/debug/pprof/", http.StatusFound))
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func (p *Pages) configz(w http.ResponseWriter, _ *http.Request) {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(p.Configz()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	content(w, "application/json", []byte(redacted(body.String())))
}

func (p *Pages) debug(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, debugPrefix), "/")
	h := p.Debug(name)
	if h == nil {
		http.NotFound(w, r)
		return
	}
	r = r.Clone(r.Context())
	r.URL.Path = "/" + rest
	h.ServeHTTP(w, r)
}

// content answers with a body of a type.
func content(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

// redacted hides passwords in URLs. Other secrets are in files, of which only
// the names are shown.
func redacted(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return regexp.MustCompile(`://[^/@\s"]*@`).ReplaceAllString(text, "://REDACTED@")
}
