// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// schema is the part of JSON Schema 2020-12 that is needed, in the order in
// which people like to read it.
type schema struct {
	Dialect     string `json:"$schema,omitempty"`
	ID          string `json:"$id,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"type,omitempty"`
	Deprecated  bool   `json:"deprecated,omitempty"`
	Const       string `json:"const,omitempty"`
	Enum        []any  `json:"enum,omitempty"`
	Default     any    `json:"default,omitempty"`

	Minimum          *float64 `json:"minimum,omitempty"`
	ExclusiveMinimum *float64 `json:"exclusiveMinimum,omitempty"`
	Maximum          *float64 `json:"maximum,omitempty"`
	ExclusiveMaximum *float64 `json:"exclusiveMaximum,omitempty"`
	MinLength        *int     `json:"minLength,omitempty"`
	MinItems         *int     `json:"minItems,omitempty"`
	MaxItems         *int     `json:"maxItems,omitempty"`
	Pattern          string   `json:"pattern,omitempty"`
	Format           string   `json:"format,omitempty"`

	Items      *schema    `json:"items,omitempty"`
	Required   []string   `json:"required,omitempty"`
	Properties properties `json:"properties,omitempty"`
	Additional any        `json:"additionalProperties,omitempty"`
}

// properties keep the order of declaration.
type properties []property

type property struct {
	name string
	*schema
}

// MarshalJSON is part of json.Marshaler.
func (p properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		value, err := plain(one.schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Durations as time.ParseDuration reads them; the first without a sign.
const (
	positivePattern = `^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
	durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
)

// SchemaID is where the schema of the newest version says it lives.
const SchemaID = "https://raw.githubusercontent.com/kube-live/kube-controller-manager/main/apis/config/schema/v1beta1.json"

// Schema is the JSON Schema 2020-12 of the configuration that the node is the
// root of, for editors. What it accepts can still be refused, for a rule that
// JSON Schema cannot say. It wants durations in quotes or with a unit and no
// empty values, which is stricter than the program.
func (n *Node) Schema() ([]byte, error) {
	s := n.schema()
	s.Dialect, s.ID = "https://json-schema.org/draft/2020-12/schema", SchemaID
	s.Title = v1beta1.Kind
	s.Required = []string{"apiVersion", "kind"}
	s.Properties = append(properties{
		{"apiVersion", &schema{Description: "The version of this form of the configuration.", Const: v1beta1.APIVersion}},
		{"kind", &schema{Description: "The kind of the file.", Const: v1beta1.Kind}},
	}, s.Properties...)
	data, err := plain(s)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// plain is JSON in which <, > and & stand for themselves.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

func (n *Node) schema() *schema {
	s := scalarSchema(n.Kind)
	s.Description, s.Deprecated = n.Doc, n.Deprecated != ""
	if n.Effect != "" && n.Kind != Object {
		s.Description += "\n\nOn change: " + n.Effect + "."
	}
	switch n.Kind {
	case Object:
		s.Additional = false
		for _, f := range n.Fields {
			s.Properties = append(s.Properties, property{f.Name, f.schema()})
		}
	case List:
		s.Items = scalarSchema(n.Item)
		s.Items.constrain(n.ItemRules)
	case Map:
		s.Additional = scalarSchema(n.Item)
		if n.Path == "featureGates" {
			s.Properties, s.Additional = gates(), false
		}
	}
	switch oneOf := func(c Constraint) bool { return c.Tag == "oneof" }; {
	case !n.Optional:
		s.constrain(n.Rules)
	case s.Type == "string" && slices.ContainsFunc(n.Rules, oneOf):
		s.constrain(n.Rules)
		s.Enum = append(s.Enum, "")
	}
	if n.HasDefault {
		s.Default = n.jsonDefault()
	}
	return s
}

func scalarSchema(k Kind) *schema {
	switch k {
	case Duration:
		return &schema{Type: "string", Pattern: durationPattern}
	case List:
		return &schema{Type: "array"}
	case Map:
		return &schema{Type: "object"}
	case Integer:
		return &schema{Type: "integer", Maximum: new(float64(math.MaxInt32))}
	}
	return &schema{Type: string(k)}
}

// constrain adds the rules that JSON Schema can say.
func (s *schema) constrain(rules []Constraint) {
	for _, r := range rules {
		if s.Pattern != "" { // a duration
			if r.Tag == "gt" || r.Tag == "gte" {
				s.Pattern = positivePattern
			}
			continue
		}
		number, err := strconv.ParseFloat(r.Param, 64)
		switch {
		case r.Tag == "oneof":
			for value := range strings.FieldsSeq(r.Param) {
				s.Enum = append(s.Enum, value)
			}
		case r.Tag == "required" && s.Type == "string":
			s.MinLength = new(1)
		case r.Tag == "required" && s.Type == "array":
			s.MinItems = new(1)
		case err == nil && s.Type == "array":
			s.count(r.Tag, int(number))
		case err != nil || s.Type != "integer" && s.Type != "number":
		case r.Tag == "gt":
			s.ExclusiveMinimum = &number
		case r.Tag == "gte", r.Tag == "min":
			s.Minimum = &number
		case r.Tag == "lt":
			s.ExclusiveMaximum, s.Maximum = &number, nil
		case r.Tag == "lte", r.Tag == "max":
			s.Maximum = &number
		}
	}
}

// count bounds the length of a list.
func (s *schema) count(tag string, n int) {
	switch tag {
	case "min", "gte":
		s.MinItems = &n
	case "max", "lte":
		s.MaxItems = &n
	}
}

func (n *Node) jsonDefault() any {
	switch n.Kind {
	case Boolean:
		return n.Default == "true"
	case Map:
		return map[string]any{}
	case Integer, Number:
		return json.Number(n.Default)
	case List:
		items := make([]any, n.value.Len())
		for i := range items {
			items[i] = tags.Text(n.value.Index(i))
			if n.Item == Integer || n.Item == Number {
				items[i] = json.Number(tags.Text(n.value.Index(i)))
			}
		}
		return items
	}
	return n.Default
}

// gates are all known feature gates, so that editors complete their names.
func gates() properties {
	list := properties{
		{"AllAlpha", &schema{Type: "boolean", Description: "Sets every Alpha gate that is not set itself."}},
		{"AllBeta", &schema{Type: "boolean", Description: "Sets every Beta gate that is not set itself."}},
	}
	for _, g := range feature.Describe() {
		s := &schema{Type: "boolean", Description: g.Stage, Default: g.Default}
		if g.Locked {
			s.Enum, s.Description = []any{g.Default}, g.Stage+", locked"
		}
		list = append(list, property{string(g.Name), s})
	}
	return list
}
