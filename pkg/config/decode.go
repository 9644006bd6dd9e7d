// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding"
	"errors"
	"fmt"
	"io"
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

// decoder lays one YAML document over an object that has its defaults already.
// It works on the syntax tree, so that every problem has a line and column.
type decoder struct {
	// judgeable is set when values can be judged although some did not decode:
	// the file is of the version that is judged.
	judgeable bool
	file      string
	problems  Errors
	// names are aliases of controllers, which are no keys of sections.
	names map[string]string
	// places tells where each path was set.
	places map[string]place
	nodes  int
	// goNames also accepts the names of Go fields, as upstream prints them.
	goNames bool
	// old has the paths in a file of an older version by those of the hub.
	old map[string]string
}

type place struct{ line, column int }

// parse reads the one document of a file.
func (d *decoder) parse(data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		d.add(nil, "", fmt.Sprintf("the file is larger than the %d bytes a configuration may have", MaxBytes), "")
		return nil
	}
	reader := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := reader.Decode(&doc); err != nil {
		d.syntax(data, err)
		return nil
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		d.add(&second, "", "the file has more than one document", "keep one configuration per file")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(data, err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		d.add(&doc, "", "the file is not a mapping of fields", "begin with apiVersion and kind")
		return nil
	}
	return doc.Content[0]
}

// with adds, to the problems of decoding, those that were found in the values. A
// field that did not decode has its default, about which there is nothing to say.
func (d *decoder) with(more Errors) Errors {
	all := d.problems
	for _, p := range more {
		if !slices.ContainsFunc(d.problems, func(q Problem) bool { return p.Path == q.Path || strings.HasPrefix(p.Path, q.Path+".") }) {
			all = append(all, p)
		}
	}
	return all
}

func (d *decoder) add(n *yaml.Node, path, reason, hint string) {
	if len(d.problems) > maxProblems {
		d.problems = d.problems[:maxProblems] // sorted says that there are more
	}
	p := Problem{File: d.file, Path: path, Reason: reason, Hint: hint}
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
			d.add(n, path, "the file is nested too deeply or expands to too much", "")
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
	d.places[path] = place{n.Line, n.Column}
	switch t := v.Type(); {
	case v.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		d.decode(path, n, p.Elem(), depth+1)
		v.Set(p)
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
			d.add(key, at, "unknown field", d.hint(path, key.Value, names))
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
		d.add(n, path, "must be a mapping of fields", "")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, twice := seen[canonical(key.Value)]; twice {
			d.add(key, tags.Join(path, key.Value), fmt.Sprintf("field is set twice, first in line %d", first), "keep one of them")
			d.problems[len(d.problems)-1].Value = ""
			continue
		}
		seen[canonical(key.Value)] = key.Line
		visit(key, n.Content[i+1])
	}
}

func (d *decoder) mapping(path string, n *yaml.Node, v reflect.Value, depth int) {
	m := reflect.MakeMap(v.Type())
	d.pairs(path, n, func(key string) string { return key }, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(tags.Join(path, key.Value), value, item, depth+1)
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	})
	v.Set(m)
}

func (d *decoder) list(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.add(n, path, "must be a list", "write [a, b], or one item per line after a dash")
		return
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
		d.add(n, path, "must be a single value", "")
		return
	}
	if err := tags.SetText(v, n.Value); err != nil {
		d.add(n, path, err.Error(), "")
		d.problems[len(d.problems)-1].Value = ""
	}
}

func (d *decoder) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(n, path, "must be a single value", "")
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
		d.add(n, path, "must be "+wanted, hint)
		return
	}
	if err := tags.SetText(v, n.Value); err != nil {
		d.add(n, path, err.Error(), "")
		d.problems[len(d.problems)-1].Value = ""
	}
}
