// SPDX-License-Identifier: Apache-2.0

package config

import (
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
	// there is no file, and what else there is decides alone.
	File string
	Data []byte
	// DropIns are laid over the file in their order: sections and maps are merged
	// key by key, lists and single values replaced; null changes nothing. Each is
	// a file of the current version with apiVersion and kind.
	DropIns []Source
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
	// Hash identifies the content of all files, see Hash.
	Hash string
	// Origins tells for each path that is not a default where its value came
	// from: FILE:LINE or --FLAG. The entries of maps have paths of their own.
	Origins map[string]string
	// Warnings do not keep the configuration from running.
	Warnings []Problem
	// Content are the files it was loaded from.
	Content Content

	file   string // the lowest one
	places map[string]place
	old    map[string]string // paths in a file of an older version, by the hub's
}

// Locate is a problem about the configuration with the place that set its path,
// or the nearest path around it: file, line and column, or the flag.
func (l *Loaded) Locate(p Problem) Problem {
	l.locate(&p)
	l.asWritten(&p)
	return p
}

// Load makes a configuration, or returns Errors with all that is wrong.
func Load(in Input) (*Loaded, error) {
	l, d := open(in)
	l.Hash = Hash(in.sources())
	l.Content = Content{Data: in.Data, DropIns: in.DropIns}
	l.fileOrigins()
	problems := l.applyFlags(in)
	for _, f := range check(l.Config) {
		if f.other == "" || !d.partial && !d.covers(f.other, "") {
			problems = append(problems, l.elsewhere(f))
		}
	}
	problems = append(problems, l.missing(in)...)
	set, wrong := gates(l.Config.FeatureGates)
	l.Gates = set
	all := d.problems
	for _, p := range append(problems, wrong...) {
		l.locate(&p)
		l.asWritten(&p)
		if p.Flag != "" || !d.covers(p.Path, p.File) {
			all = append(all, p)
		}
	}
	if len(all) > 0 {
		return nil, all.sorted(d.rank)
	}
	l.Warnings = append(l.Warnings, l.withoutEffect(in)...)
	l.warnGates()
	for i := range l.Warnings {
		l.asWritten(&l.Warnings[i])
	}
	return l, nil
}

// open reads the files without laying flags over them or judging their values.
func open(in Input) (*Loaded, *decoder) {
	l := &Loaded{Config: conversion.NewHub(), Origins: map[string]string{}}
	d := &decoder{names: in.Names, places: map[string]place{}, rank: map[string]int{}}
	l.places = d.places
	for i, s := range in.sources() {
		if i == 0 {
			l.file = s.Name
		}
		d.file, d.rank[s.Name] = s.Name, i
		root := d.parse(s.Data)
		if root == nil {
			d.partial = true
		} else {
			l.read(in, d, root)
		}
		if d.bytes > MaxBytes || d.nodes > maxNodes {
			d.partial = true
			break // said once is enough
		}
	}
	l.Config.APIVersion, l.Config.Kind = v1beta1.APIVersion, v1beta1.Kind
	l.old = d.old
	return l, d
}

// header checks apiVersion and kind first, since nothing else makes sense in a
// file of another kind.
func (d *decoder) header(root *yaml.Node, apiVersion string) bool {
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		found[root.Content[i].Value] = root.Content[i+1]
	}
	good := true
	for _, want := range [][2]string{{"apiVersion", apiVersion}, {"kind", v1beta1.Kind}} {
		switch n := found[want[0]]; {
		case n == nil:
			d.add(RuleVersion, nil, want[0], "is missing", fmt.Sprintf("add %s: %s", want[0], want[1]))
			d.problems[len(d.problems)-1].Line, d.problems[len(d.problems)-1].Column = root.Line, root.Column
			good = false
		case n.Value != want[1]:
			d.add(RuleVersion, n, want[0], "is not supported", "use "+want[1])
			good = false
		}
	}
	return good
}

// fileOrigins notes what the files set, and makes relative paths in them
// absolute: they are relative to the file that has them.
func (l *Loaded) fileOrigins() {
	tags.Walk(l.Config, func(f tags.Field) {
		at, set := l.places[f.Path]
		if !set {
			return
		}
		l.Origins[f.Path] = at.String()
		if f.Value.Kind() == reflect.Map {
			for _, key := range f.Value.MapKeys() {
				if at, set := l.places[tags.Join(f.Path, key.String())]; set {
					l.Origins[tags.Join(f.Path, key.String())] = at.String()
				}
			}
		}
		if f.Value.Kind() == reflect.Slice {
			for i := range f.Value.Len() {
				if files, ok := f.Value.Index(i).Addr().Interface().(interface{ Rebase(folder string) }); ok {
					files.Rebase(filepath.Dir(at.file))
				}
			}
		}
		if f.Tag.Get("path") != "" && f.Value.String() != "" && !filepath.IsAbs(f.Value.String()) {
			f.Value.SetString(filepath.Join(filepath.Dir(at.file), f.Value.String()))
		}
	})
}

// elsewhere adds to a problem of two values, when they are from different files
// or flags, where the other one is from.
func (l *Loaded) elsewhere(f finding) Problem {
	other := l.Origins[f.other]
	file := func(origin string) string { return origin[:max(strings.LastIndexByte(origin, ':'), 0)] }
	if other != "" && file(other) != file(l.Origins[f.Path]) && len(l.Origins[f.Path]) > 0 {
		f.Hint = strings.TrimPrefix(f.Hint+"; "+f.other+" is set by "+other, "; ")
	}
	return f.Problem
}

// locate gives a problem the place of its value.
func (l *Loaded) locate(p *Problem) {
	if p.Flag != "" {
		return
	}
	for path := p.Path; path != ""; path = parent(path) {
		if flag, ok := strings.CutPrefix(l.Origins[path], "--"); ok {
			p.Flag = flag
			return
		}
	}
	p.File = l.file
	for path := p.Path; path != ""; path = parent(path) {
		if at, ok := l.places[path]; ok {
			p.File, p.Line, p.Column = at.file, at.line, at.column
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
