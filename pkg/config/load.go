// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Input is all that a configuration is made of.
type Input struct {
	// File is the name of the file, for messages and relative paths. Empty:
	// there is no file, and flags and defaults decide alone.
	File string
	Data []byte
	// Flags are the flags that were given, by name, as text.
	Flags map[string]string
	// Names has every name and alias that --controllers may use, with the
	// canonical name. Those without a section are accepted and do nothing.
	Names map[string]string
	// Implemented says whether this program has a controller, by its canonical
	// name. Nil: it has all of them.
	Implemented func(name string) bool
}

// Loaded is a valid configuration.
type Loaded struct {
	Config *v1beta1.KubeControllerManagerConfiguration
	Gates  feature.Set
	// Hash identifies the content of the file: the first 16 hex digits of its
	// SHA-256, the same as sha256sum prints.
	Hash string
	// Origins tells for each path that is not a default where its value came
	// from: FILE:LINE or --FLAG.
	Origins map[string]string
	// Warnings do not keep the configuration from running.
	Warnings []Problem

	file   string
	places map[string]place
	old    map[string]string // paths in a file of an older version, by the hub's
}

// Locate is a problem about the configuration with the place that set its path,
// or the nearest path around it: file, line and column, or the flag.
func (l *Loaded) Locate(p Problem) Problem {
	locate(&p, l.file, l.places, l.Origins)
	asWritten(&p, l.old)
	return p
}

// Load makes a configuration, or returns Errors with all that is wrong.
func Load(in Input) (*Loaded, error) {
	sum := sha256.Sum256(in.Data)
	l, d := open(in)
	if len(d.problems) > 0 && !d.judgeable {
		return nil, d.problems.sorted()
	}
	l.Hash = hex.EncodeToString(sum[:])[:16]
	c := l.Config
	l.fileOrigins(in, d.places)
	problems := l.applyFlags(in)
	problems = append(problems, check(c)...)
	problems = append(problems, l.missing(in)...)
	set, wrong := gates(c.FeatureGates)
	l.Gates = set
	problems = append(problems, wrong...)
	for i := range problems {
		locate(&problems[i], in.File, d.places, l.Origins)
		asWritten(&problems[i], d.old)
	}
	if problems = d.with(problems); len(problems) > 0 {
		return nil, problems.sorted()
	}
	l.Warnings = append(l.Warnings, l.withoutEffect(in)...)
	l.warnGates()
	for i := range l.Warnings {
		asWritten(&l.Warnings[i], d.old)
	}
	return l, nil
}

// header checks apiVersion and kind first, since nothing else makes sense in a
// file of another kind.
func (d *decoder) header(root *yaml.Node, apiVersion string) {
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		found[root.Content[i].Value] = root.Content[i+1]
	}
	for _, want := range [][2]string{{"apiVersion", apiVersion}, {"kind", v1beta1.Kind}} {
		switch n := found[want[0]]; {
		case n == nil:
			d.add(nil, want[0], "is missing", fmt.Sprintf("add %s: %s", want[0], want[1]))
			d.problems[len(d.problems)-1].Line, d.problems[len(d.problems)-1].Column = root.Line, root.Column
		case n.Value != want[1]:
			d.add(n, want[0], "is not supported", "use "+want[1])
		}
	}
}

// fileOrigins notes what the file set, and makes its relative paths absolute:
// they are relative to the file.
func (l *Loaded) fileOrigins(in Input, places map[string]place) {
	tags.Walk(l.Config, func(f tags.Field) {
		at, set := places[f.Path]
		if !set {
			return
		}
		l.Origins[f.Path] = fmt.Sprintf("%s:%d", in.File, at.line)
		if f.Tag.Get("path") != "" && f.Value.String() != "" && !filepath.IsAbs(f.Value.String()) {
			f.Value.SetString(filepath.Join(filepath.Dir(in.File), f.Value.String()))
		}
	})
}

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
			problems = append(problems, Problem{Flag: form.Name, Path: f.Path, Reason: err.Error()})
		case decided == "":
			decided = form.Name
			f.Value.Set(value)
			l.masked(f.Path, form.Name, before, after)
		case before != after:
			l.Warnings = append(l.Warnings, Problem{Flag: form.Name, Path: f.Path, Value: after, Reason: fmt.Sprintf("--%s=%s overrules this flag", decided, before)})
		}
	}
	return problems
}

// masked warns when a flag hides another value of the file: an edit there would
// have no effect.
func (l *Loaded) masked(path, flag, before, after string) {
	if at, set := l.Origins[path]; set && before != after {
		l.Warnings = append(l.Warnings, Problem{Path: path, Value: before, Reason: fmt.Sprintf("%s sets a value that --%s=%s overrules", at, flag, after)})
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
			problems = append(problems, Problem{Flag: "feature-gates", Reason: "missing bool value for " + name})
		case err != nil:
			problems = append(problems, Problem{Flag: "feature-gates", Reason: fmt.Sprintf("invalid value of %s=%s", name, value), Hint: "use true or false"})
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

// controllersFlag turns upstream's list into baseline and switches.
func (l *Loaded) controllersFlag(given string, names map[string]string) (problems Errors) {
	list := strings.Split(given, ",")
	s := conversion.Select(list, names)
	for _, i := range s.Unknown {
		name := strings.TrimPrefix(list[i], "-")
		problems = append(problems, Problem{Flag: "controllers", Reason: fmt.Sprintf("%q is not in the list of known controllers", name),
			Hint: Suggestion(name, keys(names))})
	}
	l.masked("controllers.baseline", "controllers", l.Config.Controllers.Baseline, s.Baseline)
	l.Config.Controllers.Baseline = s.Baseline
	decided := map[string]bool{}
	for name, choice := range s.Choices {
		decided[name] = choice.On
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

// locate gives a problem the place of its value.
func locate(p *Problem, file string, places map[string]place, origins map[string]string) {
	if p.Flag != "" {
		return
	}
	for path := p.Path; path != ""; path = parent(path) {
		if flag, ok := strings.CutPrefix(origins[path], "--"); ok {
			p.Flag = flag
			return
		}
	}
	p.File = file
	for path := p.Path; path != ""; path = parent(path) {
		if at, ok := places[path]; ok {
			p.Line, p.Column = at.line, at.column
			return
		}
	}
}

// parent is the path of what holds a field or an item, or "".
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
