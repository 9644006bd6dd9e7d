// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// width is the longest line that is printed; it fits a terminal of 80 columns.
const width = 78

// Explain is the description of a node for people.
func (n *Node) Explain() string {
	var b strings.Builder
	path := n.Path
	if path == "" {
		path = v1beta1.Kind
	}
	row := func(label, text string) {
		for i, line := range wrap(text, width-12) {
			if i > 0 {
				label = ""
			}
			fmt.Fprintf(&b, "%-10s  %s\n", label, line)
		}
	}
	row("FIELD", path)
	row("TYPE", n.Type())
	if n.Kind != Object {
		row("DEFAULT", n.defaultText())
	}
	for i, r := range append(words(n.Rules, ""), words(n.ItemRules, "each ")...) {
		row([]string{"RULE", ""}[min(i, 1)], r)
	}
	if len(n.Flags) > 0 {
		row("FLAG", "--"+strings.Join(n.Flags, ", --"))
	}
	if len(n.Readers) > 0 {
		row("READ BY", strings.Join(n.Readers, ", "))
	}
	if n.Effect != "" {
		row("ON CHANGE", n.Effect)
	}
	if n.Deprecated != "" {
		row("DEPRECATED", n.Deprecated)
	}
	if n.Inert != "" {
		row("NO EFFECT", n.Inert)
	}
	if n.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(wrap(n.Doc, width), "\n"))
	}
	n.explainFields(&b)
	return b.String()
}

func (n *Node) defaultText() string {
	switch {
	case !n.HasDefault && n.Kind == Map:
		return "{}"
	case !n.HasDefault:
		return "none"
	case n.Default == "":
		return map[Kind]string{List: "[]"}[n.Kind] + map[bool]string{true: `""`}[n.Kind != List]
	}
	return n.Default
}

func words(rules []Constraint, prefix string) []string {
	var list []string
	for _, r := range rules {
		list = append(list, prefix+r.String())
	}
	return list
}

// explainFields lists the fields of an object in columns.
func (n *Node) explainFields(b *strings.Builder) {
	if len(n.Fields) == 0 {
		return
	}
	name, kind := 0, 0
	for _, f := range n.Fields {
		name, kind = max(name, len(f.Name)), max(kind, len(f.shortType()))
	}
	fmt.Fprintf(b, "\nFIELDS\n")
	for _, f := range n.Fields {
		line := fmt.Sprintf("  %-*s  %-*s", name, f.Name, kind, f.shortType())
		if f.Kind != Object {
			line += "  " + f.defaultText()
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (n *Node) shortType() string {
	switch n.Kind {
	case List:
		return "[]" + string(n.Item)
	case Map:
		return "map[string]" + string(n.Item)
	}
	return string(n.Kind)
}

// wrap breaks paragraphs into lines of at most the given number of columns,
// where a longer word has a line of its own.
func wrap(text string, columns int) []string {
	var lines []string
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			lines = append(lines, "")
		}
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && len(line)+1+len(word) > columns {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}
