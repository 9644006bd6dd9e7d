// SPDX-License-Identifier: Apache-2.0

// Package reference describes the configuration: for every field its type,
// default, rules, flag, comment, and what a change of it does. It is a walk over
// the types, so a new field is described as soon as it exists. The printed
// explanations, the commented defaults and the JSON Schema are made from it.
package reference

import (
	"encoding"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// Kind is how a value is written in a file.
type Kind string

// Kinds.
const (
	Object   Kind = "object"
	List     Kind = "list"
	Map      Kind = "map"
	String   Kind = "string"
	Boolean  Kind = "boolean"
	Integer  Kind = "integer"
	Number   Kind = "number"
	Duration Kind = "duration"
)

// Node is one field of the configuration, or the whole of it.
type Node struct {
	// Name is the field's name in the file; "" is the whole configuration.
	Name string
	// Path is the dotted path from the top.
	Path string
	Kind Kind
	// Item is the kind of a list's or map's elements.
	Item Kind
	// Doc is the comment in one or more paragraphs.
	Doc string
	// Default is the value of an absent leaf in text form, and HasDefault is
	// false when absence itself means something.
	Default    string
	HasDefault bool
	// Rules are the declarative rules of the value, ItemRules those of each
	// element.
	Rules, ItemRules []Constraint
	// Optional values are exempt from Rules when they are empty or zero.
	Optional bool
	// Flags set the field too.
	Flags []string
	// Deprecated says why the field should not be used any more, or is "".
	Deprecated string
	// Inert says why the field has no effect in this program, or is "".
	Inert string
	// Readers are the controllers that a field outside their sections is for.
	Readers []string
	// Effect is what a change of the field does to the running program.
	Effect string
	// Fields are an object's fields in the order of declaration.
	Fields []*Node

	value reflect.Value // the default
}

// Constraint is one rule: a validator tag and its parameter.
type Constraint struct{ Tag, Param string }

// String says the rule in the words of an error message.
func (c Constraint) String() string { return config.Rule(c.Tag, c.Param) }

// Tree describes the newest version of the configuration.
func Tree() *Node {
	c := &v1beta1.KubeControllerManagerConfiguration{}
	tags.SetDefaults(c)
	root := &Node{Kind: Object, value: reflect.ValueOf(c).Elem()}
	docs := v1beta1.Docs()
	root.Doc = named(docs["KubeControllerManagerConfiguration"], v1beta1.Kind)
	root.describe(docs)
	return root
}

// Find is the node at a path, or nil and the deepest node on the way to it.
// Elements of lists and maps are described by the list or map.
func (n *Node) Find(path string) (found, nearest *Node) {
	if path == "" {
		return n, n
	}
	name, rest, _ := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	for _, f := range n.Fields {
		if f.Name == name {
			return f.Find(rest)
		}
	}
	if n.Kind == Map || n.Kind == List {
		return n, n
	}
	return nil, n
}

// Walk visits the node and everything below it in the order of declaration.
func (n *Node) Walk(visit func(*Node)) {
	visit(n)
	for _, f := range n.Fields {
		f.Walk(visit)
	}
}

// Type is the node's kind for people.
func (n *Node) Type() string {
	switch n.Kind {
	case List:
		return "list of " + plural(n.Item)
	case Map:
		return "map from names to " + plural(n.Item)
	case Duration:
		return "duration, such as 15s, 5m or 1h30m"
	}
	return string(n.Kind)
}

func plural(k Kind) string { return string(k) + "s" }

// describe fills in the fields of an object.
func (n *Node) describe(docs map[string]string) {
	t := n.value.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Type == reflect.TypeFor[metav1.TypeMeta]() {
			continue
		}
		name, inline := tags.JSONName(sf)
		switch {
		case inline:
			part := &Node{Path: n.Path, value: n.value.Field(i)}
			part.describe(docs)
			n.Fields = append(n.Fields, part.Fields...)
		case name != "":
			n.Fields = append(n.Fields, n.field(sf, name, n.value.Field(i), docs))
		}
	}
}

func (n *Node) field(sf reflect.StructField, name string, v reflect.Value, docs map[string]string) *Node {
	f := &Node{Name: name, Path: tags.Join(n.Path, name), value: v, Doc: docs[n.value.Type().Name()+"."+sf.Name]}
	field := tags.Field{Path: f.Path, Value: v, Tag: sf.Tag}
	f.Deprecated, f.Inert, f.Readers = field.Deprecated(), field.Inert(), field.Readers()
	for _, form := range field.Forms() {
		f.Flags = append(f.Flags, form.Name)
	}
	f.Effect = effect(f.Path, field)
	f.Kind, f.Item = kinds(sf.Type)
	if f.Kind == Object {
		if doc := docs[sf.Type.Name()]; f.Doc == "" || len(doc) > len(f.Doc) {
			f.Doc = named(doc, name)
		}
		f.describe(docs)
		return f
	}
	f.Rules, f.ItemRules, f.Optional = constraints(sf.Tag.Get("validate"))
	f.Default, f.HasDefault = sf.Tag.Lookup("default")
	return f
}

// named begins a type's comment with the name in the file instead of the
// type's.
func named(doc, name string) string {
	_, rest, found := strings.Cut(doc, " ")
	if !found {
		return doc
	}
	return name + " " + rest
}

func kinds(t reflect.Type) (kind, item Kind) {
	if t.Kind() == reflect.Pointer {
		return kinds(t.Elem())
	}
	switch {
	case t == reflect.TypeFor[metav1.Duration]():
		return Duration, ""
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return String, ""
	}
	switch t.Kind() {
	case reflect.Struct:
		return Object, ""
	case reflect.Slice:
		item, _ = kinds(t.Elem())
		return List, item
	case reflect.Map:
		item, _ = kinds(t.Elem())
		return Map, item
	case reflect.Bool:
		return Boolean, ""
	case reflect.Float32, reflect.Float64:
		return Number, ""
	case reflect.Int, reflect.Int32, reflect.Int64:
		return Integer, ""
	}
	return String, ""
}

// constraints splits a validate tag into the rules of the value and, after
// "dive", those of its elements.
func constraints(tag string) (rules, items []Constraint, optional bool) {
	var keys []Constraint // of a map; the loader's messages tell them
	into := &rules
	for part := range strings.SplitSeq(tag, ",") {
		name, param, _ := strings.Cut(part, "=")
		switch name {
		case "", "-":
		case "omitempty":
			optional = optional || into == &rules
		case "dive", "endkeys":
			into = &items
		case "keys":
			into = &keys
		default:
			*into = append(*into, Constraint{Tag: name, Param: param})
		}
	}
	return rules, items, optional
}
