// SPDX-License-Identifier: Apache-2.0

// Package lint warns about settings that are valid each by itself but work badly
// together. The rules are pure functions of a loaded configuration; none of their
// findings keeps a configuration from running.
package lint

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Controller is what a rule has to know about a controller of the program.
type Controller struct {
	// Name is the canonical name.
	Name string
	// Enabled says whether the configuration runs it.
	Enabled bool
	// Required gates must be on for it to run; Gates are all others it reads.
	Required, Gates []feature.Gate
}

// Rule is one kind of doubt.
type Rule struct {
	// ID stays the same for ever, e.g. "KCM101".
	ID string
	// Name is a short name for people.
	Name string
	// Summary says in a sentence what is doubtful.
	Summary string
	// Help says what to do about it.
	Help string

	check func(subject) []config.Problem
}

// subject is the configuration that is looked at.
type subject struct {
	*config.Loaded
	controllers []Controller
	fields      map[string]tags.Field // by path
	paths       map[string]string     // paths by flag
}

// Rules are all rules, by their identifiers.
func Rules() []Rule {
	return []Rule{
		{"KCM101", "workers-over-burst", "A controller has more workers than requests that it may make at once.",
			"Workers beyond clientConnection.burst wait for each other. Raise qps and burst, or lower the count.", workersOverBurst},
		{"KCM102", "burst-below-qps", "The burst is smaller than the number of requests in a second.",
			"Set clientConnection.burst to at least qps; twice the value is usual.", burstBelowQPS},
		{"KCM103", "lease-margin", "A short outage of the API server ends the leadership.",
			"Leave time for at least three attempts: renewDeadline is three times retryPeriod or more, and leaseDuration is longer than renewDeadline by one retryPeriod.", leaseMargin},
		{"KCM104", "slow-failover", "Another manager takes over late.",
			"Shorten leaderElection.leaseDuration: after a crash nothing happens for that long. 15s is usual.", slowFailover},
		{"KCM105", "node-grace", "Healthy Nodes may be taken for dead.",
			"Use a nodeMonitorGracePeriod of at least three times nodeMonitorPeriod and at least 40s.", nodeGrace},
		{"KCM106", "needed-controller", "A controller runs without another one that it needs.",
			"Enable the other controller too, unless another program does its work.", neededController},
		{"KCM107", "gate-of-controller", "A controller is enabled, but a feature gate keeps it off.",
			"Turn the feature gate on, or leave the controller to the baseline.", gateOfController},
		{"KCM108", "gate-goes-away", "A feature gate is set that a future release will not have.",
			"Remove the gate: a later release refuses a configuration that still sets it.", gateGoesAway},
		{"KCM109", "short-resync", "All objects are synced anew very often.",
			"Use an informers.minResyncPeriod of at least 10m; 12h is the default.", shortResync},
		{"KCM110", "open-paths", "Everything is served to everybody.",
			"List single paths, such as /metrics, in authorization.alwaysAllowPaths.", openPaths},
		{"KCM111", "half-delegation", "Callers are authenticated but not authorized, or the other way round.",
			"Set both authentication.kubeconfig and authorization.kubeconfig.", halfDelegation},
		{"KCM112", "nothing-runs", "No controller is enabled.",
			"Use the baseline Default, or enable some controllers.", nothingRuns},
		{"KCM113", "two-switches", "Two switches of one controller say the opposite.",
			"Remove the older switch and keep \"enabled\".", twoSwitches},
		{"KCM114", "node-networks", "The controller of the networks of Nodes is enabled, but Nodes get none.",
			"Set cluster.allocateNodeCIDRs too, or leave the controller to the baseline.", nodeNetworks},
		{"KCM115", "idle-gate", "A feature gate is set that no controller of the program reads.",
			"Remove the gate; it changes nothing here.", idleGate},
		{RuleFile, "missing-file", "A file that the configuration names does not exist.",
			"Create the file, or correct the name: relative ones are relative to the folder of the configuration.", nil},
	}
}

// RuleFile is the rule of Files.
const RuleFile = "KCM201"

// Run applies all rules. Each finding has its rule and its place.
func Run(l *config.Loaded, controllers []Controller) []config.Problem {
	s := subject{Loaded: l, controllers: controllers, fields: map[string]tags.Field{}, paths: map[string]string{}}
	tags.Walk(l.Config, func(f tags.Field) {
		s.fields[f.Path] = f
		for _, form := range f.Forms() {
			s.paths[form.Name] = f.Path
		}
	})
	var found []config.Problem
	for _, r := range Rules() {
		if r.check == nil {
			continue
		}
		for _, p := range r.check(s) {
			p.Rule = r.ID
			found = append(found, l.Locate(p))
		}
	}
	return found
}

// Files warns about files that a file or flag names and that cannot be
// opened, as open reports. It is apart from Run because it looks at the machine
// it runs on.
func Files(l *config.Loaded, open func(path string) error) []config.Problem {
	var found []config.Problem
	tags.Walk(l.Config, func(f tags.Field) {
		name := tags.Text(f.Value)
		if f.Tag.Get("path") != "true" || name == "" || l.Origins[f.Path] == "" || f.Inert() != "" {
			return
		}
		if err := open(name); err != nil {
			found = append(found, l.Locate(config.Problem{Rule: RuleFile, Path: f.Path, Value: name, Reason: err.Error(),
				Hint: "relative names are relative to the configuration's folder"}))
		}
	})
	return found
}

// set says whether a file or flag gave the value of a path.
func (s subject) set(path string) bool { return s.Origins[path] != "" }

// duration is the value of the field that a flag sets, and its path. A field that
// does not exist is 0.
func (s subject) duration(flag string) (time.Duration, string) {
	f, ok := s.fields[s.paths[flag]]
	if !ok {
		return 0, ""
	}
	d, _ := f.Value.Interface().(metav1.Duration)
	return d.Duration, f.Path
}

// text is the value of the field that a flag sets, and its path.
func (s subject) text(flag string) (value, path string) {
	f, ok := s.fields[s.paths[flag]]
	if !ok {
		return "", ""
	}
	return tags.Text(f.Value), f.Path
}

// runs says whether a controller runs.
func (s subject) runs(name string) bool {
	for _, c := range s.controllers {
		if c.Name == name {
			return c.Enabled
		}
	}
	return false
}

// switchOf is what the section of a controller says: "true", "false", or "" when
// the baseline decides. It is "" for unknown controllers, too.
func (s subject) switchOf(name string) string {
	f, ok := s.fields[enabled(name)]
	if !ok {
		return ""
	}
	return tags.Text(f.Value)
}

func enabled(name string) string { return "controllers." + name + ".enabled" }

func problem(path string, value any, reason, hint string) config.Problem {
	return config.Problem{Path: path, Value: strings.TrimSpace(fmt.Sprint(value)), Reason: reason, Hint: hint}
}
