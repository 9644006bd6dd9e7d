// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"fmt"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
)

// oldMetricsPort is the port that had metrics over plain HTTP.
const oldMetricsPort = 10252

// ControllersPath is the field that says which controllers run.
const ControllersPath = "generic.controllers"

// Note is what a reader of the old file should know: a setting that now means
// something else.
type Note struct {
	// Path is the field of the old file.
	Path string
	// Reason says what has changed.
	Reason string
}

// ToV1beta1 converts, and tells where the meaning has changed. Moved has the
// hub's fields by the old ones where no tag says so. Names are the names that the
// list of controllers may use, with the canonical ones; other entries mean
// nothing.
func ToV1beta1(c *Configuration, names map[string]string) (h *conversion.Hub, moved map[string]string, notes []Note) {
	h = conversion.NewHub()
	conversion.Up(c, h)
	g := c.Generic
	moved = map[string]string{}
	if g.Controllers != nil {
		conversion.Select(*g.Controllers, names).Apply(&h.Controllers)
	}
	if g.LogJSON != nil {
		moved["generic.log_json"] = "logging.format"
		if *g.LogJSON {
			h.Logging.Format = "json"
		}
	}
	from, notes := port(g, h)
	if from != "" {
		moved[from] = "serving.port"
	}
	return h, moved, notes
}

// port decides which of the old ports the one server listens on now: that of
// health checks, since probes rely on it, else that of metrics when it was chosen
// on purpose.
func port(g Generic, h *conversion.Hub) (from string, notes []Note) {
	for _, old := range []struct {
		path string
		port *int32
	}{
		{"generic.healthz_bind_port", g.HealthzBindPort},
		{"generic.diagnostics_port", g.DiagnosticsPort},
		{"generic.bind_port", g.BindPort},
	} {
		metrics := old.path == "generic.bind_port"
		switch {
		case old.port == nil:
		case from == "" && (!metrics || *old.port != oldMetricsPort):
			from, h.Serving.Port = old.path, *old.port
			if metrics {
				notes = append(notes, Note{Path: old.path, Reason: "was the port of metrics over plain HTTP; it now has metrics and health, over HTTPS"})
			}
		case metrics:
			notes = append(notes, Note{Path: old.path, Reason: fmt.Sprintf("was the port of metrics over plain HTTP; it is not opened any more: metrics are on port %d with health, over HTTPS", h.Serving.Port)})
		case *old.port != h.Serving.Port:
			notes = append(notes, Note{Path: old.path, Reason: fmt.Sprintf("is not opened: there is one port, %d, which %s has set", h.Serving.Port, from)})
		}
	}
	return from, notes
}
