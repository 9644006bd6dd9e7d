// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/klog/v2"
)

// Pages for those who want one answer without details.
const (
	liveness  = "/healthz/live"
	readiness = "/healthz/ready"
	deep      = "/healthz/deep"
)

// Check is one named condition of health. Err is nil when it is good.
type Check struct {
	Name string
	Err  error
}

type healthPages struct {
	slis   *slis
	logger klog.Logger
}

// serve answers with the checks at /NAME, and with each of them at /NAME/CHECK.
func (h healthPages) serve(mux *http.ServeMux, name string, checks func() []Check) {
	mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, name, checks(), http.StatusInternalServerError)
	})
	mux.HandleFunc("/"+name+"/{check}", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range checks() {
			switch {
			case c.Name != r.PathValue("check"):
			case c.Err != nil:
				http.Error(w, fmt.Sprintf("internal server error: %v", c.Err), http.StatusInternalServerError)
				return
			default:
				content(w, "text/plain; charset=utf-8", []byte("ok"))
				return
			}
		}
		http.NotFound(w, r)
	})
}

// short answers as /NAME does, but calls a failure unavailable.
func (h healthPages) short(name string, checks func() []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, name, checks(), http.StatusServiceUnavailable)
	}
}

// answer says ok, or which checks failed. Reasons are withheld, since everybody
// may ask; they are in the log.
func (h healthPages) answer(w http.ResponseWriter, r *http.Request, name string, checks []Check, failure int) {
	h.slis.observe(name, checks)
	query := r.URL.Query()
	excluded := query["exclude"]
	unknown := slices.Compact(slices.Sorted(slices.Values(excluded)))
	var detail strings.Builder
	var failed []string
	for _, c := range checks {
		switch {
		case slices.Contains(excluded, c.Name):
			unknown = slices.DeleteFunc(unknown, func(n string) bool { return n == c.Name })
			fmt.Fprintf(&detail, "[+]%s excluded: ok\n", c.Name)
		case c.Err != nil:
			failed = append(failed, fmt.Sprintf("%s: %v", c.Name, c.Err))
			fmt.Fprintf(&detail, "[-]%s failed: reason withheld\n", c.Name)
		default:
			fmt.Fprintf(&detail, "[+]%s ok\n", c.Name)
		}
	}
	if len(unknown) > 0 {
		fmt.Fprintf(&detail, "warn: some health checks cannot be excluded: no matches for %s\n", quoted(unknown))
	}
	switch {
	case len(failed) > 0:
		h.logger.V(2).Info("Health check failed", "page", name, "failed", failed)
		http.Error(w, detail.String()+name+" check failed", failure)
	case query.Has("verbose"):
		content(w, "text/plain; charset=utf-8", []byte(detail.String()+name+" check passed\n"))
	default:
		content(w, "text/plain; charset=utf-8", []byte("ok"))
	}
}

func quoted(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%q", n))
	}
	return strings.Join(list, ",")
}

const (
	healthy   = "healthy"
	unhealthy = "unhealthy"
)

// deep answers with every check of several pages, as JSON.
func (h healthPages) deep(pages ...func() []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := struct {
			Status string            `json:"status"`
			Checks map[string]string `json:"checks"`
		}{healthy, map[string]string{}}
		code := http.StatusOK
		for _, checks := range pages {
			for _, c := range checks() {
				if c.Err != nil {
					all.Checks[c.Name], all.Status, code = unhealthy, unhealthy, http.StatusServiceUnavailable
				} else if all.Checks[c.Name] == "" {
					all.Checks[c.Name] = healthy
				}
			}
		}
		body, err := json.Marshal(all)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(code)
		_, _ = w.Write(append(body, '\n'))
	}
}
