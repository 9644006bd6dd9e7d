// SPDX-License-Identifier: Apache-2.0

// Package plan computes what a change of the configuration does. It is pure: a
// plan is data that can be printed, tested, and carried out by the manager; the
// offline answer and the running process cannot differ.
package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Setup is a configuration as far as a plan reads it.
type Setup struct {
	Config *v1beta1.KubeControllerManagerConfiguration
	Gates  feature.Set
}

// Action is what happens to a controller.
type Action string

// Actions.
const (
	Keep    Action = "keep"    // it runs on and notices nothing
	Off     Action = "off"     // it does not run, before and after
	Start   Action = "start"   // it did not run
	Stop    Action = "stop"    // it does not run any more
	Restart Action = "restart" // it runs anew, with new settings
	Resize  Action = "resize"  // it runs on with another worker count
)

// Step is what happens to one controller.
type Step struct {
	Controller string   `json:"controller"`
	Action     Action   `json:"action"`
	Why        []string `json:"why,omitempty"`
	// Workers is the new count of a resize.
	Workers int `json:"workers,omitempty"`
}

// Part is a part of the process that controllers share or that stands beside
// them.
type Part string

// Parts.
const (
	Clients  Part = "clients"  // API clients of controllers
	Caches   Part = "caches"   // informers, which are filled anew
	Election Part = "election" // the lease
	Serving  Part = "serving"  // listener, authentication, authorization
	Logging  Part = "logging"  // form and amount of the log
	Tracing  Part = "tracing"  // where traces go
	Settings Part = "settings" // values that are looked up when needed
)

// Change is the replacement of a part.
type Change struct {
	Part Part     `json:"part"`
	Why  []string `json:"why"`
}

// Plan is what a change of configuration does.
type Plan struct {
	Changes []Change `json:"changes,omitempty"`
	Steps   []Step   `json:"steps"`
}

// Compute compares two configurations. Old is nil when nothing runs yet.
func Compute(catalog []controller.Descriptor, old, now *Setup) Plan {
	var p Plan
	var reasons []string
	if old != nil {
		p.Changes = changes(old, now)
		for _, c := range p.Changes {
			if c.Part == Clients || c.Part == Caches {
				reasons = append(reasons, c.Why...)
			}
		}
		reasons = slices.Compact(reasons)
	}
	for _, d := range catalog {
		p.Steps = append(p.Steps, step(d, old, now, reasons))
	}
	return p
}

// step decides about one controller; replaced says why what it shares changes.
func step(d controller.Descriptor, old, now *Setup, replaced []string) Step {
	s := Step{Controller: d.Name}
	on, why := d.Enabled(&now.Config.Controllers, now.Gates)
	was := false
	if old != nil {
		was, _ = d.Enabled(&old.Config.Controllers, old.Gates)
	}
	switch {
	case !was && !on:
		s.Action, s.Why = Off, []string{why}
	case !was:
		s.Action = Start
	case !on:
		s.Action, s.Why = Stop, []string{why}
	default:
		s.compare(d, old, now, replaced)
	}
	return s
}

func (s *Step) compare(d controller.Descriptor, old, now *Setup, replaced []string) {
	section := d.Section(&now.Config.Controllers)
	why := slices.Clone(replaced)
	resized := false
	for _, c := range differences(d.Section(&old.Config.Controllers), section, "") {
		switch {
		case c.field.Path == "enabled": // on before and after
		case c.field.Resizes():
			resized = true
			s.Why = append(s.Why, c.String())
		default:
			why = append(why, c.String())
		}
	}
	for _, c := range differences(&old.Config.Cluster, &now.Config.Cluster, "cluster") {
		if slices.Contains(c.field.Readers(), d.Name) {
			why = append(why, c.String())
		}
	}
	for _, g := range feature.Changed(old.Gates, now.Gates, d.Gates) {
		why = append(why, fmt.Sprintf("feature gate %s flips", g))
	}
	switch {
	case len(why) > 0:
		s.Action, s.Why = Restart, append(why, s.Why...)
	case resized:
		s.Action, s.Workers = Resize, controller.WorkersOf(section)
	default:
		s.Action, s.Why = Keep, nil
	}
}

// changes are the parts that differ.
func changes(old, now *Setup) []Change {
	a, b := old.Config, now.Config
	why := map[Part][]string{}
	note := func(part Part, path string, x, y any) {
		for _, d := range differences(x, y, path) {
			p := part
			switch {
			case d.field.Live():
				p = Settings
			case part == Clients && !d.field.Identifies():
				why[Caches] = append(why[Caches], d.String())
			}
			why[p] = append(why[p], d.String())
		}
	}
	note(Clients, "clientConnection", &a.ClientConnection, &b.ClientConnection)
	note(Caches, "informers", &a.Informers, &b.Informers)
	for _, g := range feature.Changed(old.Gates, now.Gates, feature.Client()) {
		why[Caches] = append(why[Caches], fmt.Sprintf("feature gate %s flips", g))
	}
	note(Election, "leaderElection", &a.LeaderElection, &b.LeaderElection)
	for _, g := range feature.Changed(old.Gates, now.Gates, []feature.Gate{feature.CoordinatedLeaderElection}) {
		why[Election] = append(why[Election], fmt.Sprintf("feature gate %s flips", g))
	}
	note(Serving, "serving", &a.Serving, &b.Serving)
	note(Serving, "authentication", &a.Authentication, &b.Authentication)
	note(Serving, "authorization", &a.Authorization, &b.Authorization)
	note(Logging, "logging", &a.Logging, &b.Logging)
	note(Tracing, "tracing", &a.Tracing, &b.Tracing)
	note(Settings, "metrics", &a.Metrics, &b.Metrics)
	note(Settings, "reload", &a.Reload, &b.Reload)
	var list []Change
	for _, p := range []Part{Clients, Caches, Election, Serving, Logging, Tracing, Settings} {
		if len(why[p]) > 0 {
			list = append(list, Change{Part: p, Why: why[p]})
		}
	}
	return list
}

// difference is a field with two values.
type difference struct {
	field    tags.Field
	path     string
	old, now string
}

func (d difference) String() string {
	return fmt.Sprintf("%s %s -> %s", d.path, quote(d.old), quote(d.now))
}

func quote(s string) string {
	if s == "" || strings.ContainsAny(s, " ,") {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// differences are the fields with another value. One that has no effect cannot
// make a difference.
func differences(old, now any, path string) []difference {
	before := map[string]string{}
	tags.Walk(old, func(f tags.Field) { before[f.Path] = tags.Text(f.Value) })
	var list []difference
	tags.Walk(now, func(f tags.Field) {
		if text := tags.Text(f.Value); text != before[f.Path] && f.Inert() == "" {
			list = append(list, difference{field: f, path: tags.Join(path, f.Path), old: before[f.Path], now: text})
		}
	})
	return list
}

// Changed says whether the plan does anything at all.
func (p Plan) Changed() bool {
	return len(p.Changes) > 0 || slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Action != Keep && s.Action != Off })
}

// Of is the step of a controller.
func (p Plan) Of(name string) Step {
	for _, s := range p.Steps {
		if s.Controller == name {
			return s
		}
	}
	return Step{Controller: name, Action: Off, Why: []string{"unknown"}}
}

// Replaces says whether a part is replaced.
func (p Plan) Replaces(part Part) bool {
	return slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Part == part })
}

// String is the plan for people: a line for each thing that changes.
func (p Plan) String() string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%-8s %s: %s\n", "replace", c.Part, strings.Join(c.Why, ", "))
	}
	kept := 0
	for _, s := range p.Steps {
		switch s.Action {
		case Keep:
			kept++
			continue
		case Off:
			continue
		}
		fmt.Fprintf(&b, "%-8s %s", s.Action, s.Controller)
		if len(s.Why) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(s.Why, ", "))
		}
		b.WriteString("\n")
	}
	if b.Len() == 0 {
		return "nothing changes\n"
	}
	fmt.Fprintf(&b, "%-8s %d controllers\n", "keep", kept)
	return b.String()
}

// Summary is the plan in one line, for the log.
func (p Plan) Summary() string {
	var parts []string
	for _, c := range p.Changes {
		parts = append(parts, fmt.Sprintf("replace %s", c.Part))
	}
	for _, s := range p.Steps {
		if s.Action == Resize {
			parts = append(parts, fmt.Sprintf("resize %s to %d", s.Controller, s.Workers))
		} else if s.Action != Keep && s.Action != Off {
			parts = append(parts, fmt.Sprintf("%s %s", s.Action, s.Controller))
		}
	}
	if len(parts) == 0 {
		return "nothing changes"
	}
	return strings.Join(parts, ", ")
}
