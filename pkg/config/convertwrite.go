// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// comment is what people wrote about a value.
type comment struct{ head, line string }

// comments are those of a file, by the places of values.
type comments struct {
	file       string // being read
	head, foot string
	by         map[place]comment
}

func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n")
}

func (c *comments) collect(n *yaml.Node, pending string, top bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		head := joined(pending, key.HeadComment)
		line := joined(key.LineComment, value.LineComment)
		c.foot = joined(key.FootComment, c.foot)
		pending = ""
		switch {
		case top && (key.Value == "apiVersion" || key.Value == "kind"):
			c.head = joined(c.head, head, line)
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			c.collect(value, joined(head, line, value.HeadComment), false)
		default:
			for _, item := range value.Content {
				head = joined(head, item.HeadComment, item.LineComment)
			}
			if head != "" || line != "" {
				c.by[place{c.file, value.Line, value.Column}] = comment{head: head, line: line}
			}
		}
	}
}

// writer writes a configuration as a file: what has a place, and what is not the
// default.
type writer struct {
	comments *comments
	places   map[string]place
	standard map[string]tags.Field
}

func (w *writer) write(apiVersion string, c any) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	root.Content = append(root.Content, word("apiVersion"), word(apiVersion), word("kind"), word(v1beta1.Kind))
	body, err := w.object("", reflect.ValueOf(c).Elem())
	if err != nil {
		return nil, err
	}
	root.Content = append(root.Content, body.Content...)
	doc := &yaml.Node{Kind: yaml.DocumentNode, HeadComment: w.comments.head, Content: []*yaml.Node{root}}
	doc.FootComment = joined(w.leftOver(), w.comments.foot)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("writing the file: %w", err)
	}
	return b.Bytes(), nil
}

// leftOver are the comments on values that are not in the file any more.
func (w *writer) leftOver() string {
	var at []place
	for p := range w.comments.by {
		at = append(at, p)
	}
	slices.SortFunc(at, func(a, b place) int { return cmp.Or(cmp.Compare(a.file, b.file), a.line-b.line) })
	var texts []string
	for _, p := range at {
		texts = append(texts, w.comments.by[p].head, w.comments.by[p].line)
	}
	return joined(texts...)
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func (w *writer) object(path string, v reflect.Value) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Type == reflect.TypeFor[metav1.TypeMeta]() {
			continue
		}
		name, inline := tags.JSONName(sf)
		at := tags.Join(path, name)
		var value *yaml.Node
		var err error
		switch {
		case inline:
			value, err = w.object(path, v.Field(i))
		case name == "" || tags.IsLeaf(sf.Type) && !w.keeps(at, v.Field(i)):
			continue
		case tags.IsLeaf(sf.Type):
			value, err = literal(v.Field(i))
		default:
			value, err = w.object(at, v.Field(i))
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", at, err)
		case inline:
			n.Content = append(n.Content, value.Content...)
		case tags.IsLeaf(sf.Type) || len(value.Content) > 0:
			key := word(name)
			w.comment(at, key, value)
			n.Content = append(n.Content, key, value)
		}
	}
	return n, nil
}

// keeps says whether a leaf belongs into the file.
func (w *writer) keeps(path string, v reflect.Value) bool {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	if _, set := w.places[path]; set {
		return true
	}
	return !conversion.Same(v, w.standard[path].Value)
}

func (w *writer) comment(path string, key, value *yaml.Node) {
	at, set := w.places[path]
	c, has := w.comments.by[at]
	if !set || !has {
		return
	}
	key.HeadComment = c.head
	if value.Kind == yaml.ScalarNode {
		value.LineComment = c.line
	} else {
		key.HeadComment = joined(c.head, c.line)
	}
	delete(w.comments.by, at)
}

// literal is a leaf as a file has it: its form in JSON, without JSON's quotes and
// brackets.
func literal(v reflect.Value) (*yaml.Node, error) {
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	n := doc.Content[0]
	if n.Tag == "!!null" { // an empty list or map
		n = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		if v.Kind() == reflect.Map {
			n.Kind = yaml.MappingNode
		}
		return n, nil
	}
	plain(n)
	return n, nil
}

func plain(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode || len(n.Content) > 0 {
		n.Style = 0
	}
	for _, child := range n.Content {
		plain(child)
	}
}
