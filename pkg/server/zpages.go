// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// component is what the process calls itself.
const component = client.Program

// warning begins /flagz and /statusz as text.
const warning = `
%s %s
Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.
`

// Effect is the configuration in effect.
type Effect struct {
	// Started is when the process did.
	Started time.Time
	// Generation counts the configurations that took effect; Hash identifies the
	// content of the present one.
	Generation int
	Hash       string
	// Rejected is why a newer file is not in effect, or "".
	Rejected string
	// Emulation is the version of Kubernetes whose behaviour is shown, as
	// MAJOR.MINOR, or "" for that of the program.
	Emulation string
}

func (p *Pages) flagz(w http.ResponseWriter, r *http.Request) {
	flags := p.Flags()
	text := func() string {
		var b strings.Builder
		fmt.Fprintf(&b, warning, component, "flagz")
		for _, name := range slices.Sorted(maps.Keys(flags)) {
			fmt.Fprintf(&b, "%s=%s\n", name, flags[name])
		}
		return b.String()
	}
	zpage(w, r, "Flagz", text, func(h head) any {
		return struct {
			head
			Flags map[string]string `json:"flags,omitempty"`
		}{h, flags}
	})
}

// status is /statusz in its structured form.
type status struct {
	head
	StartTime        metav1.Time `json:"startTime"`
	UptimeSeconds    int64       `json:"uptimeSeconds"`
	GoVersion        string      `json:"goVersion"`
	BinaryVersion    string      `json:"binaryVersion"`
	EmulationVersion string      `json:"emulationVersion,omitempty"`
	Paths            []string    `json:"paths"`
}

func (p *Pages) statusz(w http.ResponseWriter, r *http.Request) {
	e := p.Effect()
	s := status{
		StartTime: metav1.NewTime(e.Started), UptimeSeconds: max(0, int64(time.Since(e.Started).Seconds())),
		GoVersion: runtime.Version(), BinaryVersion: strings.TrimPrefix(version.Get().GitVersion, "v"), EmulationVersion: e.Emulation,
		Paths: []string{"/configz", "/flagz", "/healthz", "/livez", "/metrics", "/readyz"},
	}
	if s.EmulationVersion == "" {
		s.EmulationVersion = minor(s.BinaryVersion)
	}
	zpage(w, r, "Statusz", func() string { return s.text(e) }, func(h head) any {
		s.head = h
		return s
	})
}

// minor is MAJOR.MINOR of a version.
func minor(v string) string {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

func (s status) text(e Effect) string {
	var b strings.Builder
	fmt.Fprintf(&b, warning+"\n", component, "statusz")
	up := s.UptimeSeconds
	for _, line := range [][2]string{
		{"Started", s.StartTime.Format(time.UnixDate)},
		{"Up", fmt.Sprintf("%d hr %02d min %02d sec", up/3600, (up/60)%60, up%60)},
		{"Go version", s.GoVersion},
		{"Binary version", s.BinaryVersion},
		{"Emulation version", s.EmulationVersion},
		{"Paths", strings.Join(s.Paths, " ")},
		{"Generation", fmt.Sprint(e.Generation)},
		{"Config hash", e.Hash},
		{"Rejected", e.Rejected},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", line[0], line[1])
		}
	}
	return b.String()
}
