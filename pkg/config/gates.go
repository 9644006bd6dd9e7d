// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// goneGates are names that older files have and upstream refuses by now, with the
// reason why they have no effect.
func goneGates() map[string]string {
	always := "what it switched is always on since Kubernetes "
	return map[string]string{
		"EndpointSliceTerminatingCondition": always + "1.26",
		"EphemeralContainers":               always + "1.25",
		"HPAContainerMetrics":               always + "1.30",
		"ServiceInternalTrafficPolicy":      always + "1.26",
		"ServiceLBEndpointFinalizers":       "no version of Kubernetes has it",
	}
}

// warnGates warns about gates that are accepted though nothing has them.
func (l *Loaded) warnGates() {
	gone := goneGates()
	for _, name := range keys(l.Config.FeatureGates) {
		if why := gone[name]; why != "" {
			p := Problem{Rule: RuleInert, Path: tags.Join("featureGates", name), Value: fmt.Sprint(l.Config.FeatureGates[name]),
				Reason: "accepted, has no effect: " + why, Hint: "remove it"}
			l.locate(&p)
			l.Warnings = append(l.Warnings, p)
		}
	}
}

// gates resolves the settings of feature gates, with a problem for each wrong
// one: unknown and locked gates first, then those whose dependencies are off.
func gates(settings map[string]bool) (feature.Set, Errors) {
	settings = maps.Clone(settings)
	for name := range goneGates() {
		delete(settings, name)
	}
	known := map[string]feature.Info{}
	for _, g := range feature.Describe() {
		known[string(g.Name)] = g
	}
	var problems Errors
	for _, name := range keys(settings) {
		if len(problems) > maxProblems {
			break // sorted says that there are more
		}
		p := Problem{Rule: RuleGate, Path: tags.Join("featureGates", name)}
		g := known[name]
		switch {
		case !feature.Known(name):
			p.Reason, p.Hint = "unrecognized feature gate: "+name, Suggestion(name, feature.Names())
		case g.Locked && settings[name] != g.Default:
			p.Reason = fmt.Sprintf("cannot set feature gate %s to %t, feature is locked to %t", name, settings[name], g.Default)
			p.Hint = "remove it"
		default:
			continue
		}
		problems = append(problems, p)
	}
	if len(problems) > 0 {
		return feature.Set{}, problems
	}
	set, err := feature.Resolve(settings)
	return set, dependencies(err, settings, known)
}

// dependencies turns the errors of the registry, which come in any order, into a
// problem for each gate whose dependencies are off.
func dependencies(err error, settings map[string]bool, known map[string]feature.Info) Errors {
	if err == nil {
		return nil
	}
	all := []error{err}
	var several interface{ Errors() []error }
	if errors.As(err, &several) {
		all = several.Errors()
	}
	var problems Errors
	for _, one := range all {
		name, _, _ := strings.Cut(one.Error(), " ")
		p := Problem{Rule: RuleGate, Path: "featureGates", Reason: one.Error()}
		culprits := []string{name, "AllAlpha", "AllBeta"}
		for _, needed := range known[name].DependsOn {
			culprits = slices.Insert(culprits, 1, string(needed))
		}
		for _, c := range culprits {
			if _, set := settings[c]; set {
				p.Path = tags.Join("featureGates", c)
				break
			}
		}
		if needed := known[name].DependsOn; len(needed) > 0 {
			p.Hint = fmt.Sprintf("turn %s off too, or %s on", name, needed[0])
		}
		problems = append(problems, p)
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Reason, b.Reason) })
	return problems
}
