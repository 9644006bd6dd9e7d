// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"strings"
)

// Table lists every field in Markdown, a table for each section: its default, its
// flags, and what a change of it does to the running program.
func Table() string {
	var b strings.Builder
	b.WriteString("<!-- Written by make generate. -->\n\n# Fields\n\nEvery field of the configuration, its default, the flags that set it too, and what a\n" +
		"change of it does while the program runs. No field needs a restart of the process.\n" +
		"`kube-controller-manager explain PATH` says more about each.\n")
	section := ""
	Tree().Walk(func(n *Node) {
		if n.Path == "" || n.Kind == Object {
			return
		}
		at := n.Path[:max(strings.LastIndexByte(n.Path, '.'), 0)]
		if at != section || !strings.Contains(b.String(), "| field |") {
			section = at
			title := at
			if title == "" {
				title = "top level"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| field | default | flags | on change |\n|---|---|---|---|\n", title)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", n.Name, code(n.Default), flags(n.Flags), strings.ReplaceAll(n.Effect, "|", `\|`))
	})
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

func flags(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, "`--"+strings.TrimPrefix(n, "--")+"`")
	}
	return strings.Join(list, " ")
}
