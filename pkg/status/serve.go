// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"

	"sigs.k8s.io/yaml"
)

// Paths of the pages. Who may see one is for the server to decide, by the right
// to get this path as a non-resource URL.
const (
	PagePath          = "/"
	Path              = "/api/v1/status"
	ConfigurationPath = "/api/v1/config"
)

// Handler serves the page and the documents. They are JSON; with ?format=yaml
// YAML.
func (s Source) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page())
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, r *http.Request) { send(w, r, s.Document()) })
	mux.HandleFunc("GET "+ConfigurationPath, func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.Running()
		if !ok {
			http.Error(w, "no configuration is in effect yet", http.StatusServiceUnavailable)
			return
		}
		send(w, r, c)
	})
	return mux
}

func send(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	out, err := json.MarshalIndent(v, "", "  ")
	kind := "application/json"
	switch format := r.URL.Query().Get("format"); format {
	case "", "json":
		out = append(out, '\n')
	case "yaml":
		kind = "application/yaml"
		if err == nil {
			out, err = yaml.JSONToYAML(out)
		}
	default:
		http.Error(w, "format is json or yaml", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(out)
}

// page answers with the page for people.
func (s Source) page() http.HandlerFunc {
	allowed := policy()
	parsed := template.Must(template.New("").Funcs(functions(s.Now())).Parse(pageHTML))
	return func(w http.ResponseWriter, r *http.Request) {
		d := s.Document()
		var out bytes.Buffer
		t, err := parsed.Clone()
		if err == nil {
			err = t.Funcs(functions(d.Time)).ExecuteTemplate(&out, "page", contentOf(d, viewOf(r.URL.Query())))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", allowed)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = out.WriteTo(w)
	}
}
