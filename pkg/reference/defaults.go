// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Defaults is the configuration as it is when nothing is set, as a YAML file in
// which comments explain every field. With a path it is that part alone, under
// the keys that lead to it.
func (n *Node) Defaults(path string) string {
	var b strings.Builder
	if path == "" {
		fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\n", v1beta1.APIVersion, v1beta1.Kind)
	}
	n.write(&b, 0, path)
	return strings.TrimPrefix(b.String(), "\n")
}

// write writes the fields of an object. Only is the path of the one that is
// wanted, or "".
func (n *Node) write(b *strings.Builder, depth int, only string) {
	indent := strings.Repeat("  ", depth)
	for _, f := range n.Fields {
		inside := f.Path == only || only == "" || strings.HasPrefix(f.Path, only+".")
		if !inside && !strings.HasPrefix(only, f.Path+".") {
			continue
		}
		if inside {
			if depth == 0 || f.Kind == Object && f.Path != only {
				b.WriteString("\n")
			}
			comment(b, indent, f.Doc)
			f.writeRules(b, indent)
		}
		switch {
		case f.Kind != Object:
			f.writeLeaf(b, indent)
		case !f.says():
			fmt.Fprintf(b, "%s%s: {}\n", indent, f.Name)
			for _, leaf := range f.Fields {
				comment(b, indent+"  ", leaf.Doc)
				leaf.writeLeaf(b, indent+"  ")
			}
		default:
			fmt.Fprintf(b, "%s%s:\n", indent, f.Name)
			f.write(b, depth+1, only)
		}
	}
}

// says tells whether anything below an object has a value to write.
func (n *Node) says() bool {
	for _, f := range n.Fields {
		if f.Kind == Object && f.says() || f.Kind != Object && f.HasDefault {
			return true
		}
	}
	return false
}

func (n *Node) writeRules(b *strings.Builder, indent string) {
	if n.Deprecated != "" {
		comment(b, indent, "Deprecated: "+n.Deprecated)
	}
	if n.Inert != "" && !strings.Contains(n.Doc, "no effect") {
		comment(b, indent, "No effect: "+n.Inert)
	}
	rules := append(words(n.Rules, ""), words(n.ItemRules, "each ")...)
	if len(rules) > 0 {
		comment(b, indent, "Rule: "+strings.Join(rules, "; ")+".")
	}
}

func comment(b *strings.Builder, indent, text string) {
	if text == "" {
		return
	}
	for _, line := range wrap(text, width-len(indent)-2) {
		fmt.Fprintf(b, "%s%s\n", indent, strings.TrimRight("# "+line, " "))
	}
}

// writeLeaf writes one value. What has no default is shown as a comment.
func (n *Node) writeLeaf(b *strings.Builder, indent string) {
	switch {
	case n.Kind == Map:
		fmt.Fprintf(b, "%s%s: {}\n", indent, n.Name)
	case !n.HasDefault && n.Kind == Boolean:
		fmt.Fprintf(b, "%s# %s: true\n", indent, n.Name)
	case !n.HasDefault:
		fmt.Fprintf(b, "%s# %s:\n", indent, n.Name)
	case n.Kind == List:
		items := make([]string, n.value.Len())
		for i := range items {
			items[i] = scalar(tags.Text(n.value.Index(i)), n.Item)
		}
		fmt.Fprintf(b, "%s%s: [%s]\n", indent, n.Name, strings.Join(items, ", "))
	default:
		fmt.Fprintf(b, "%s%s: %s\n", indent, n.Name, scalar(n.Default, n.Kind))
	}
}

// scalar quotes a text when YAML would take it for something else.
func scalar(text string, kind Kind) string {
	if kind != String {
		return text
	}
	out, err := yaml.Marshal(text)
	if err != nil {
		return fmt.Sprintf("%q", text) // not reached: a string always marshals
	}
	return strings.TrimSpace(string(out))
}
