// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// sections are the controllers' parts of a configuration by their names.
func sections(c *v1beta1.Controllers) iter.Seq2[string, v1beta1.Section] {
	return func(yield func(string, v1beta1.Section) bool) {
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			name, _ := tags.JSONName(v.Type().Field(i))
			if section, ok := v.Field(i).Addr().Interface().(v1beta1.Section); ok && !yield(name, section) {
				return
			}
		}
	}
}

// OffByDefault says whether the baseline Default does not run a controller.
func OffByDefault(name string) bool {
	t := reflect.TypeFor[v1beta1.Controllers]()
	for i := range t.NumField() {
		if found, _ := tags.JSONName(t.Field(i)); found == name {
			return t.Field(i).Tag.Get("baseline") == "off"
		}
	}
	return false
}

func (in Input) implements(name string) bool { return in.Implemented == nil || in.Implemented(name) }

// missing refuses to enable controllers that the program does not have. In
// --controllers they are only warned about, so that upstream's command lines
// work; those that the baseline would run are named in one warning.
func (l *Loaded) missing(in Input) (problems Errors) {
	var skipped []string
	for name, section := range sections(&l.Config.Controllers) {
		if in.implements(name) {
			continue
		}
		path := "controllers." + name + ".enabled"
		switch on := section.Explicit(); {
		case on == nil && l.Config.Controllers.Baseline == v1beta1.BaselineDefault && !OffByDefault(name):
			skipped = append(skipped, name)
		case on == nil || !*on:
		case l.Origins[path] == "--controllers":
			l.Warnings = append(l.Warnings, Problem{Rule: RuleNotImplemented, Flag: "controllers", Path: path, Value: "true", Reason: name + " is not implemented, it will not run"})
		default:
			problems = append(problems, Problem{Rule: RuleNotImplemented, Path: path, Value: "true", Reason: name + " is not implemented", Hint: "remove it, or set it to false"})
		}
	}
	if len(skipped) > 0 {
		p := Problem{Rule: RuleNotImplemented, Path: "controllers.baseline", Value: l.Config.Controllers.Baseline,
			Reason: "controllers that are not implemented will not run: " + strings.Join(skipped, ", ")}
		l.locate(&p)
		l.Warnings = append(l.Warnings, p)
	}
	return problems
}

// withoutEffect warns about values, other than the default, that nothing reads,
// and about fields of the file that should not be used any more.
func (l *Loaded) withoutEffect(in Input) (warnings Errors) {
	standard := &v1beta1.KubeControllerManagerConfiguration{}
	tags.SetDefaults(standard)
	usual := map[string]string{}
	useful := map[string]bool{} // flags of which at least one field is read
	tags.Walk(standard, func(f tags.Field) {
		usual[f.Path] = tags.Text(f.Value)
		if idle(f, in) == "" {
			useful["--"+f.Flag()] = true
		}
	})
	tags.Walk(l.Config, func(f tags.Field) {
		origin, set := l.Origins[f.Path]
		if !set {
			return
		}
		note := func(rule, reason string) {
			p := Problem{Rule: rule, Path: f.Path, Value: tags.Text(f.Value), Reason: reason}
			l.locate(&p)
			warnings = append(warnings, p)
		}
		if why := idle(f, in); why != "" && !useful[origin] && tags.Text(f.Value) != usual[f.Path] {
			note(RuleInert, "accepted, has no effect: "+why)
		}
		if text := f.Deprecated(); text != "" && !strings.HasPrefix(origin, "--") {
			note(RuleDeprecated, "deprecated: "+text)
		}
	})
	return warnings
}

// idle is why nothing reads a field, or "". Whether a controller runs is for
// missing to say.
func idle(f tags.Field, in Input) string {
	if why := f.Inert(); why != "" {
		return why
	}
	rest, inside := strings.CutPrefix(f.Path, "controllers.")
	name, field, deeper := strings.Cut(rest, ".")
	readers := f.Readers()
	if inside && deeper && field != "enabled" {
		readers = []string{name}
	}
	if len(readers) == 0 || slices.ContainsFunc(readers, in.implements) {
		return ""
	}
	if len(readers) == 1 {
		return fmt.Sprintf("%s is not implemented", readers[0])
	}
	return fmt.Sprintf("none of %s is implemented", strings.Join(readers, ", "))
}
