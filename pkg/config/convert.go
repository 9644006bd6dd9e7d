// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/legacy"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1alpha1"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// legacyVersion stands for the form that has no apiVersion.
const legacyVersion = "legacy"

// versionOf is the apiVersion of a file. A file with neither apiVersion nor kind
// but the section of the early form is of that form.
func versionOf(root *yaml.Node) string {
	version, known, early := "", false, false
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "apiVersion":
			version, known = root.Content[i+1].Value, true
		case "kind":
			known = true
		case legacy.Key:
			early = true
		}
	}
	if early && !known {
		return legacyVersion
	}
	return version
}

// read decodes a file of any version over l.Config. What an older version says is
// converted, and its places become those of the hub's fields. Only the lowest file
// may be of an older version.
func (l *Loaded) read(in Input, d *decoder, root *yaml.Node) {
	version := versionOf(root)
	older := version == v1alpha1.APIVersion || version == legacyVersion
	switch {
	case older && d.file != in.File:
		d.outdated(root)
	case version == v1alpha1.APIVersion:
		l.readV1alpha1(in, d, root)
	case version == legacyVersion:
		l.readLegacy(in, d, root)
	case d.header(root, v1beta1.APIVersion):
		d.decode("", root, reflect.ValueOf(l.Config).Elem(), 0)
	default:
		d.apart(root, conversion.NewHub())
	}
}

// apart reports what is wrong with a file that cannot be used anyway.
func (d *decoder) apart(root *yaml.Node, into any) {
	d.partial = true
	places := d.places
	d.places = map[string]place{}
	d.decode("", root, reflect.ValueOf(into).Elem(), 0)
	d.places = places
}

// outdated refuses a drop-in of an older version: its defaults, and what it calls
// by other names, cannot be told from what it wants to change.
func (d *decoder) outdated(root *yaml.Node) {
	d.partial = true
	at := root
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "apiVersion" {
			at = root.Content[i+1]
		}
	}
	d.add(RuleVersion, at, "apiVersion", "a drop-in must be of the version "+v1beta1.APIVersion,
		"write it anew with: kube-controller-manager convert "+d.file+" --to v1beta1")
}

func (l *Loaded) readV1alpha1(in Input, d *decoder, root *yaml.Node) {
	d.goNames = true
	defer func() { d.goNames = false }()
	c := v1alpha1.New()
	if !d.header(root, v1alpha1.APIVersion) {
		d.apart(root, c)
		return
	}
	d.decode("", root, reflect.ValueOf(c).Elem(), 0)
	d.selection(v1alpha1.ControllersPath, c.Generic.Controllers, in.Names)
	l.Warnings = append(l.Warnings, d.ineffective(c, v1alpha1.New())...)
	*l.Config = *v1alpha1.ToV1beta1(c, in.Names)
	d.move(c, nil)
	d.moveSelection(v1alpha1.ControllersPath, c.Generic.Controllers, in.Names)
}

func (l *Loaded) readLegacy(in Input, d *decoder, root *yaml.Node) {
	c := &legacy.Configuration{}
	d.decode("", root, reflect.ValueOf(c).Elem(), 0)
	var list []string
	if c.Generic.Controllers != nil {
		list = *c.Generic.Controllers
	}
	d.selection(legacy.ControllersPath, list, in.Names)
	l.Warnings = append(l.Warnings, Problem{Rule: RuleDeprecated, File: in.File, Line: root.Line, Column: root.Column,
		Reason: "deprecated: the form without apiVersion and kind",
		Hint:   "write it anew with: kube-controller-manager convert " + in.File + " --to v1beta1"})
	h, moved, notes := legacy.ToV1beta1(c, in.Names)
	*l.Config = *h
	for _, n := range notes {
		at := d.places[n.Path]
		l.Warnings = append(l.Warnings, Problem{Rule: RuleDeprecated, File: in.File, Line: at.line, Column: at.column, Path: n.Path, Reason: n.Reason})
	}
	d.move(c, moved)
	if c.Generic.Controllers != nil {
		d.moveSelection(legacy.ControllersPath, list, in.Names)
	}
}

// selection reports entries of a list of controllers that name none.
func (d *decoder) selection(path string, list []string, names map[string]string) {
	known := keys(names)
	for _, i := range conversion.Select(list, names).Unknown {
		if len(d.problems) > maxProblems {
			return // sorted says that there are more
		}
		name := strings.TrimPrefix(list[i], "-")
		at := fmt.Sprintf("%s[%d]", path, i)
		p := Problem{Rule: RuleUnknownController, File: d.file, Path: at, Line: d.places[at].line, Column: d.places[at].column,
			Reason: fmt.Sprintf("%q is not in the list of known controllers", name), Hint: Suggestion(name, known)}
		d.problems = append(d.problems, p)
	}
}

// ineffective warns about what a file sets that has no effect and that no field of
// the hub stands for.
func (d *decoder) ineffective(c, standard any) (warnings Errors) {
	usual := conversion.Fields(standard)
	tags.Walk(c, func(f tags.Field) {
		at, set := d.places[f.Path]
		if !set || f.Inert() == "" || conversion.Same(f.Value, usual[f.Path].Value) {
			return
		}
		warnings = append(warnings, Problem{Rule: RuleInert, File: d.file, Line: at.line, Column: at.column, Path: f.Path,
			Value: valueText(f.Value), Reason: "accepted, has no effect: " + f.Inert()})
	})
	return warnings
}

// valueText is a value in a message; a list of objects has no text.
func valueText(v reflect.Value) string {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		return ""
	}
	return tags.Text(v)
}

// move gives the hub's fields the places of the older version's, whose paths they
// remember for messages. Moved has those that no tag tells, by older path.
func (d *decoder) move(c any, moved map[string]string) {
	tags.Walk(c, func(f tags.Field) {
		targets := conversion.Targets(f)
		if to := moved[f.Path]; to != "" {
			targets = append(targets, to)
		}
		for _, to := range targets {
			d.movePlace(f.Path, to)
			if f.Value.Kind() == reflect.Map {
				for _, key := range f.Value.MapKeys() {
					d.movePlace(tags.Join(f.Path, key.String()), tags.Join(to, key.String()))
				}
			}
		}
	})
}

func (d *decoder) movePlace(from, to string) {
	if d.old == nil {
		d.old = map[string]string{}
	}
	if _, known := d.old[to]; !known {
		d.old[to] = from
	}
	at, set := d.places[from]
	if !set {
		// A rule that concerns several fields may blame this one: then its section
		// is the best place there is.
		at, set = d.places[section(from)]
		to = section(to)
	} else {
		d.old[to] = from
	}
	if _, taken := d.places[to]; set && to != "" && !taken {
		d.places[to] = at
	}
}

// section is the path of the section that a field is in.
func section(path string) string { return path[:max(strings.LastIndexByte(path, '.'), 0)] }

// moveSelection gives baseline and switches the places of the entries of a list
// that decided about them.
func (d *decoder) moveSelection(path string, list []string, names map[string]string) {
	if _, set := d.places[path]; !set {
		return
	}
	s := conversion.Select(list, names)
	d.movePlace(path, "controllers.baseline")
	if s.Star >= 0 {
		d.movePlace(fmt.Sprintf("%s[%d]", path, s.Star), "controllers.baseline")
	}
	for name, choice := range s.Choices {
		d.movePlace(fmt.Sprintf("%s[%d]", path, choice.Index), "controllers."+name+".enabled")
	}
}

// asWritten gives a problem of the hub the path that the file has for it. Only
// the lowest file may have another.
func (l *Loaded) asWritten(p *Problem) {
	file := p.File
	if file == "" {
		file = l.places[p.Path].file
	}
	if p.Flag != "" || file != l.file {
		return
	}
	for path := p.Path; path != ""; path = parent(path) {
		if from, ok := l.old[path]; ok {
			p.Path = from + p.Path[len(path):]
			return
		}
	}
}
