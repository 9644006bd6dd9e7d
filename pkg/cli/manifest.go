// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// manifest is a Kubernetes object that is no configuration, though it may have
// some inside.
type manifest struct {
	apiVersion, kind string
	root, head       *yaml.Node // head is the value of kind
	lines            []string
}

// maxEmbedded is how many configurations in one ConfigMap are checked. More are a
// mistake: each would govern a manager of its own.
const maxEmbedded = 16

// embedded is a configuration inside a ConfigMap.
type embedded struct {
	key  string
	data []byte
	at   *yaml.Node
	// line and column are what to add to a place in data for that in the manifest.
	// exact is false when lines of the one are not lines of the other.
	line, column int
	exact        bool
}

// manifestIn is the Kubernetes object in a file. A configuration is none, nor is
// what may have been meant as one: to say what is wrong with it is the loader's.
func manifestIn(data []byte) (manifest, bool) {
	if len(data) > config.MaxBytes || !apiObject.Match(data) || ownKind.Match(data) { // no need to parse it
		return manifest{}, false
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if reader.Decode(&doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return manifest{}, false
	}
	m := manifest{root: doc.Content[0]}
	if version := m.value(m.root, "apiVersion"); version != nil {
		m.apiVersion = version.Value
	}
	if m.head = m.value(m.root, "kind"); m.head != nil {
		m.kind = m.head.Value
	}
	own := strings.EqualFold(m.kind, v1beta1.Kind) || strings.HasPrefix(m.apiVersion, v1beta1.Group+"/")
	if own || m.apiVersion == "" || !kindName.MatchString(m.kind) || !errors.Is(reader.Decode(&second), io.EOF) {
		return manifest{}, false
	}
	m.lines = strings.Split(string(data), "\n")
	return m, true
}

var (
	apiObject = regexp.MustCompile(`(^|[\s{,"'])kind["']?\s*:`)
	ownKind   = regexp.MustCompile(`(?m)^["']?kind["']?[ \t]*:[ \t]*["']?` + v1beta1.Kind + `\b`)
	kindName  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	// ownHeader matches a text that says it is a configuration, well-formed or not.
	ownHeader = regexp.MustCompile(`(?m)(^|[{,])\s*["']?(apiVersion|kind)["']?\s*:\s*["']?(` +
		regexp.QuoteMeta(v1beta1.Group) + `/|` + v1beta1.Kind + `\b)`)
)

// value is what a mapping has under a key, or nil.
func (manifest) value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == key {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// String names the object.
func (m manifest) String() string { return fmt.Sprintf("a %s (%s)", m.kind, m.apiVersion) }

// isConfigMap says whether there may be configurations inside.
func (m manifest) isConfigMap() bool { return m.kind == "ConfigMap" && m.apiVersion == "v1" }

// configurations are those inside a ConfigMap, in their order, or the problem of
// one that has none.
func (m manifest) configurations(file string) ([]embedded, config.Errors) {
	data := m.value(m.root, "data")
	var found []embedded
	var keys []string
	seen := map[string]int{}
	var twice config.Errors
	for i := 0; data != nil && i+1 < len(data.Content); i += 2 {
		key, value := data.Content[i], resolved(data.Content[i+1])
		if first := seen[key.Value]; first > 0 {
			twice = append(twice, config.Problem{Rule: config.RuleDuplicate, File: file, Line: key.Line, Column: key.Column, Path: "data." + key.Value,
				Reason: fmt.Sprintf("field is set twice, first in line %d", first), Hint: "keep one of them"})
		}
		seen[key.Value] = key.Line
		keys = append(keys, key.Value)
		if value.Kind == yaml.ScalarNode && ownHeader.MatchString(value.Value) {
			found = append(found, m.embed(key.Value, value))
		}
	}
	switch {
	case len(twice) > 0:
		return nil, twice
	case len(found) > maxEmbedded:
		return nil, config.Errors{{Rule: config.RuleLimit, File: file, Line: data.Line, Column: data.Column, Path: "data",
			Reason: fmt.Sprintf("the ConfigMap has %d configurations in it, more than %d", len(found), maxEmbedded)}}
	case len(found) > 0:
		return found, nil
	}
	at := m.root
	if data != nil {
		at = data
	}
	hint := "add a key with apiVersion and kind of a configuration in its text"
	if len(keys) > 0 {
		slices.Sort(keys)
		hint += "; it has " + strings.Join(keys, ", ")
	}
	return nil, config.Errors{{Rule: config.RuleVersion, File: file, Line: at.Line, Column: at.Column, Path: "data",
		Reason: "the ConfigMap has no " + v1beta1.Kind + " in it", Hint: hint}}
}

// embed finds the lines of a value in the manifest. Only in a block that keeps
// its lines (|) they are the same, behind an indentation.
func (m manifest) embed(key string, n *yaml.Node) embedded {
	e := embedded{key: key, data: []byte(n.Value), at: n, line: n.Line}
	if n.Style&yaml.LiteralStyle == 0 {
		return e
	}
	for i, line := range strings.Split(n.Value, "\n") {
		if strings.TrimSpace(line) == "" || n.Line+i >= len(m.lines) {
			continue
		}
		raw := strings.TrimSuffix(m.lines[n.Line+i], "\r")
		indentation, found := strings.CutSuffix(raw, line)
		e.exact, e.column = found && strings.Trim(indentation, " ") == "", len(indentation)
		return e
	}
	return e
}

var lineInReason = regexp.MustCompile(`\bin line (\d+)`)

// place turns a place in the text into that in the manifest.
func (e embedded) place(problems []config.Problem) []config.Problem {
	for i := range problems {
		p := &problems[i]
		switch {
		case e.exact && p.Line > 0:
			p.Line, p.Column = p.Line+e.line, p.Column+e.column
			p.Reason = lineInReason.ReplaceAllStringFunc(p.Reason, func(text string) string {
				n, _ := strconv.Atoi(strings.TrimPrefix(text, "in line ")) // digits
				return fmt.Sprintf("in line %d", n+e.line)
			})
		default:
			if p.Line > 0 {
				p.Reason += fmt.Sprintf(" (in line %d, column %d of the text of data.%s)", p.Line, p.Column, e.key)
			}
			p.Line, p.Column = e.at.Line, e.at.Column
		}
	}
	return problems
}
