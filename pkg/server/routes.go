// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Check is one named condition of health. Err is nil when it is good.
type Check struct {
	Name string
	Err  error
}

// Pages are what there is to show.
type Pages struct {
	Metrics prometheus.Gatherer
	// Health, Live and Ready are evaluated for each request and must not wait.
	Health, Live, Ready func() []Check
	// Configz is encoded as JSON.
	Configz func() any
	// Debug is a controller's own page, or nil.
	Debug func(controller string) http.Handler
}

const debugPrefix = "/debug/controllers/"

// Routes are the pages under their paths.
func (p Pages) Routes(c v1beta1.Serving) http.Handler {
	mux := http.NewServeMux()
	health(mux, "healthz", p.Health)
	health(mux, "livez", p.Live)
	health(mux, "readyz", p.Ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Metrics, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /configz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := json.NewEncoder(w).Encode(p.Configz()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET "+debugPrefix, func(w http.ResponseWriter, r *http.Request) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, debugPrefix), "/")
		h := p.Debug(name)
		if h == nil {
			http.NotFound(w, r)
			return
		}
		r = r.Clone(r.Context())
		r.URL.Path = "/" + rest
		h.ServeHTTP(w, r)
	})
	if c.Profiling {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// health serves the checks at /NAME, and each of them at /NAME/CHECK.
func health(mux *http.ServeMux, name string, checks func() []Check) {
	mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, name, checks(), r.URL.Query()["exclude"])
	})
	mux.HandleFunc("GET /"+name+"/{check}", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range checks() {
			if c.Name == r.PathValue("check") {
				answer(w, r, name+"/"+c.Name, []Check{c}, nil)
				return
			}
		}
		http.NotFound(w, r)
	})
}

// answer says ok, or which checks failed. Reasons are withheld, since everybody
// may ask; they are in the log.
func answer(w http.ResponseWriter, r *http.Request, name string, checks []Check, excluded []string) {
	var detail strings.Builder
	failed := false
	for _, c := range checks {
		switch {
		case slices.Contains(excluded, c.Name):
			fmt.Fprintf(&detail, "[+]%s excluded: ok\n", c.Name)
		case c.Err != nil:
			failed = true
			fmt.Fprintf(&detail, "[-]%s failed: reason withheld\n", c.Name)
		default:
			fmt.Fprintf(&detail, "[+]%s ok\n", c.Name)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, verbose := r.URL.Query()["verbose"]
	switch {
	case failed:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s%s check failed\n", detail.String(), name)
	case verbose:
		fmt.Fprintf(w, "%s%s check passed\n", detail.String(), name)
	default:
		fmt.Fprint(w, "ok")
	}
}
