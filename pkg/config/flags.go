// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// applyFlags lays the flags over the file.
func (l *Loaded) applyFlags(in Input) (problems Errors) {
	tags.Walk(l.Config, func(f tags.Field) {
		problems = append(problems, l.fromFlags(f, in.Flags)...)
	})
	if given, ok := in.Flags["feature-gates"]; ok {
		problems = append(problems, l.gateFlag(given)...)
	}
	if given, ok := in.Flags["controllers"]; ok {
		problems = append(problems, l.controllersFlag(given, in.Names)...)
	}
	return problems
}

// fromFlags sets a field from the first of its flags that was given, and warns
// about others that say something else.
func (l *Loaded) fromFlags(f tags.Field, given map[string]string) (problems Errors) {
	decided := ""
	for _, form := range f.Forms() {
		text, ok := given[form.Name]
		if !ok {
			continue
		}
		value := reflect.New(f.Value.Type()).Elem()
		text, err := form.Text(text)
		if err == nil {
			err = tags.SetText(value, text)
		}
		before, after := tags.Text(f.Value), tags.Text(value)
		switch {
		case err != nil:
			problems = append(problems, Problem{Rule: RuleType, Flag: form.Name, Path: f.Path, Reason: err.Error()})
		case decided == "":
			decided = form.Name
			l.forgetEntries(f)
			f.Value.Set(value)
			l.masked(f.Path, form.Name, before, after)
		case before != after:
			l.Warnings = append(l.Warnings, Problem{Rule: RuleOverruled, Flag: form.Name, Path: f.Path, Value: after, Reason: fmt.Sprintf("--%s=%s overrules this flag", decided, before)})
		}
	}
	return problems
}

// forgetEntries drops the origins of a map's entries: a flag replaces all of them.
func (l *Loaded) forgetEntries(f tags.Field) {
	if f.Value.Kind() == reflect.Map {
		for _, key := range f.Value.MapKeys() {
			delete(l.Origins, tags.Join(f.Path, key.String()))
		}
	}
}

// masked warns when a flag hides another value of the file: an edit there would
// have no effect.
func (l *Loaded) masked(path, flag, before, after string) {
	if at, set := l.Origins[path]; set && before != after {
		l.Warnings = append(l.Warnings, Problem{Rule: RuleOverruled, Path: path, Value: before, Reason: fmt.Sprintf("%s sets a value that --%s=%s overrules", at, flag, after)})
	}
	l.Origins[path] = "--" + flag
}

func (l *Loaded) gateFlag(given string) (problems Errors) {
	if l.Config.FeatureGates == nil {
		l.Config.FeatureGates = map[string]bool{}
	}
	for item := range strings.SplitSeq(given, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(item), "=")
		if name == "" && !found {
			continue
		}
		name = strings.TrimPrefix(strings.TrimSpace(name), "kube:")
		on, err := parseBool(value)
		switch {
		case !found:
			problems = append(problems, Problem{Rule: RuleGate, Flag: "feature-gates", Reason: "missing bool value for " + name})
		case err != nil:
			problems = append(problems, Problem{Rule: RuleGate, Flag: "feature-gates", Reason: fmt.Sprintf("invalid value of %s=%s", name, value), Hint: "use true or false"})
		default:
			path := tags.Join("featureGates", name)
			if old, set := l.Config.FeatureGates[name]; set {
				l.masked(path, "feature-gates", fmt.Sprint(old), fmt.Sprint(on))
			}
			l.Origins[path] = "--feature-gates"
			l.Config.FeatureGates[name] = on
		}
	}
	return problems
}

func parseBool(s string) (bool, error) {
	var b bool
	err := tags.SetText(reflect.ValueOf(&b).Elem(), strings.TrimSpace(s))
	return b, err
}

// tokenController is not up to the list in upstream's program: it runs whenever it
// has a key. A file can still switch it off.
const tokenController = "serviceaccount-token-controller"

// controllersFlag turns upstream's list into baseline and switches.
func (l *Loaded) controllersFlag(given string, names map[string]string) (problems Errors) {
	list := strings.Split(given, ",")
	s := conversion.Select(list, names)
	for _, i := range s.Unknown {
		name := strings.TrimPrefix(list[i], "-")
		problems = append(problems, Problem{Rule: RuleUnknownController, Flag: "controllers", Reason: fmt.Sprintf("%q is not in the list of known controllers", name),
			Hint: Suggestion(name, keys(names))})
	}
	l.masked("controllers.baseline", "controllers", l.Config.Controllers.Baseline, s.Baseline)
	l.Config.Controllers.Baseline = s.Baseline
	decided := map[string]bool{}
	for name, choice := range s.Choices {
		decided[name] = choice.On
	}
	if on, named := decided[tokenController]; named && !on || !named && s.Baseline == v1beta1.BaselineNone {
		decided[tokenController] = true
	}
	l.switches(decided)
	return problems
}

func (l *Loaded) switches(decided map[string]bool) {
	for name, section := range sections(&l.Config.Controllers) {
		path := "controllers." + name + ".enabled"
		var want *bool
		after := "not named"
		if on, named := decided[name]; named {
			want, after = &on, fmt.Sprint(on)
		}
		if old := section.Explicit(); old != nil {
			l.masked(path, "controllers", fmt.Sprint(*old), after)
		}
		if want != nil {
			l.Origins[path] = "--controllers"
		}
		section.SetExplicit(want)
	}
}
