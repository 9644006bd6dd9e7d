// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

// Limits of what is read: a configuration is far below them, and a hostile file
// is refused before it costs anything.
const (
	// MaxBytes is the size of the largest file that is parsed.
	MaxBytes = 1 << 19

	maxNodes    = 20_000
	maxDepth    = 32
	maxProblems = 500
)

// decoder lays YAML documents over an object that has its defaults already, one
// after the other. It works on the syntax tree, so that every problem has a line
// and column.
type decoder struct {
	// file is the one that is read, rank its position among all.
	file string
	rank map[string]int
	// partial is set when a file could not be laid over the others: then values
	// can be judged one by one, but not together.
	partial  bool
	problems Errors
	// names are aliases of controllers, which are no keys of sections.
	names map[string]string
	// places tells where each path was set last.
	places map[string]place
	// bytes and nodes are those of all files.
	bytes, nodes int
	// goNames also accepts the names of Go fields, as upstream prints them.
	goNames bool
	// old has the paths in a file of an older version by those of the hub.
	old map[string]string
}

type place struct {
	file         string
	line, column int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// covers says whether something about the path, or about what it is in, was
// wrong already in a file that is read last or later: then its value is not what
// was meant, and there is nothing to say about it.
func (d *decoder) covers(path, file string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		return (p.Path == path || strings.HasPrefix(path, p.Path+".")) && d.rank[p.File] >= d.rank[file]
	})
}

func (d *decoder) add(rule string, n *yaml.Node, path, reason, hint string) {
	if len(d.problems) > maxProblems {
		d.problems = d.problems[:maxProblems] // sorted says that there are more
	}
	p := Problem{Rule: rule, File: d.file, Path: path, Reason: reason, Hint: hint}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
		if n.Kind == yaml.ScalarNode {
			p.Value = n.Value
		}
	}
	d.problems = append(d.problems, p)
}

// decode sets v from a node. What is null or absent keeps its default.
func (d *decoder) decode(path string, n *yaml.Node, v reflect.Value, depth int) {
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		if d.nodes <= maxNodes+1 || depth == maxDepth+1 {
			d.add(RuleLimit, n, path, "the file is nested too deeply or expands to too much", "")
		}
		d.nodes = maxNodes + 2
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	d.places[path] = place{d.file, n.Line, n.Column}
	switch t := v.Type(); {
	case v.Kind() == reflect.Pointer:
		p, before := reflect.New(t.Elem()), len(d.problems)
		if d.decode(path, n, p.Elem(), depth+1); len(d.problems) == before {
			v.Set(p)
		}
	case t == reflect.TypeFor[metav1.Duration]() || v.Addr().Type().Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		d.text(path, n, v)
	case v.Kind() == reflect.Struct:
		d.structure(path, n, v, depth)
	case v.Kind() == reflect.Map:
		d.mapping(path, n, v, depth)
	case v.Kind() == reflect.Slice:
		d.list(path, n, v, depth)
	default:
		d.scalar(path, n, v)
	}
}

func (d *decoder) structure(path string, n *yaml.Node, v reflect.Value, depth int) {
	fields := map[string]reflect.Value{}
	names := collect(v, fields)
	canonical := func(key string) string { return key }
	if d.goNames {
		canonical = goNames(v.Type())
	}
	d.pairs(path, n, canonical, func(key, value *yaml.Node) {
		at := tags.Join(path, canonical(key.Value))
		field, known := fields[canonical(key.Value)]
		if !known {
			d.add(RuleUnknownField, key, at, "unknown field", d.hint(path, key.Value, names))
			d.problems[len(d.problems)-1].Value = ""
			return
		}
		d.decode(at, value, field, depth+1)
	})
}

// hint helps with an unknown field.
func (d *decoder) hint(path, key string, known []string) string {
	canonical := d.names[key]
	switch {
	case len(d.problems) >= maxProblems:
		return "" // nobody reads it
	case key == "<<":
		return "merge keys are not supported, repeat the fields"
	case path == "controllers" && canonical != "":
		return fmt.Sprintf("write %q", canonical)
	}
	return Suggestion(key, known)
}

// collect finds the fields of a struct by their names in the file.
func collect(v reflect.Value, fields map[string]reflect.Value) (names []string) {
	for i := range v.NumField() {
		name, inline := tags.JSONName(v.Type().Field(i))
		switch {
		case inline:
			names = append(names, collect(v.Field(i), fields)...)
		case name != "":
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	return names
}

// goNames turns the Go names of a struct's fields into those in a file.
func goNames(t reflect.Type) func(string) string {
	return func(key string) string {
		if f, ok := t.FieldByName(key); ok {
			if name, _ := tags.JSONName(f); name != "" {
				return name
			}
		}
		return key
	}
}

// pairs visits the entries of a mapping and reports duplicate keys: those with the
// same canonical name.
func (d *decoder) pairs(path string, n *yaml.Node, canonical func(string) string, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(RuleType, n, path, "must be a mapping of fields", "")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, twice := seen[canonical(key.Value)]; twice {
			d.add(RuleDuplicate, key, tags.Join(path, key.Value), fmt.Sprintf("field is set twice, first in line %d", first), "keep one of them")
			d.problems[len(d.problems)-1].Value = ""
			continue
		}
		seen[canonical(key.Value)] = key.Line
		visit(key, n.Content[i+1])
	}
}

func (d *decoder) mapping(path string, n *yaml.Node, v reflect.Value, depth int) {
	m := reflect.MakeMap(v.Type())
	if d.rank[d.file] > 0 { // a later file adds to what the others say
		for old := v.MapRange(); old.Next(); {
			m.SetMapIndex(old.Key(), old.Value())
		}
	}
	d.pairs(path, n, func(key string) string { return key }, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(tags.Join(path, key.Value), value, item, depth+1)
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	})
	v.Set(m)
}

func (d *decoder) list(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.add(RuleType, n, path, "must be a list", "write [a, b], or one item per line after a dash")
		return
	}
	for i := range v.Len() {
		delete(d.places, fmt.Sprintf("%s[%d]", path, i)) // an item of another file
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.decode(fmt.Sprintf("%s[%d]", path, i), item, list.Index(i), depth+1)
	}
	v.Set(list)
}

// text is a value with a written form of its own, such as a duration.
func (d *decoder) text(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(RuleType, n, path, "must be a single value", "")
		return
	}
	if err := tags.SetText(v, n.Value); err != nil {
		d.add(RuleType, n, path, err.Error(), "")
		d.problems[len(d.problems)-1].Value = ""
	}
}

func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(RuleType, n, path, "must be a single value", "")
		return
	}
	var wanted, hint string
	switch v.Kind() {
	case reflect.Bool:
		if n.Tag != "!!bool" {
			wanted, hint = "true or false", "without quotes"
		}
	case reflect.Int32, reflect.Int64, reflect.Int:
		if n.Tag != "!!int" {
			wanted, hint = "a whole number", "without quotes"
		}
	case reflect.Float32, reflect.Float64:
		if n.Tag != "!!int" && n.Tag != "!!float" {
			wanted, hint = "a number", "without quotes"
		}
	case reflect.String:
		if n.Tag != "!!str" {
			wanted, hint = "text", "put it in quotes"
		}
	}
	if hint == "without quotes" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		hint = "" // it has none
	}
	if wanted != "" {
		d.add(RuleType, n, path, "must be "+wanted, hint)
		return
	}
	if err := tags.SetText(v, n.Value); err != nil {
		d.add(RuleType, n, path, err.Error(), "")
		d.problems[len(d.problems)-1].Value = ""
	}
}
