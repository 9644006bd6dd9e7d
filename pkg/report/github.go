// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
)

// github is a workflow command for each finding, which GitHub shows at the line
// of the file in a pull request.
func (r Report) github(w io.Writer, rules []Rule) error {
	names := map[string]string{}
	for _, rule := range rules {
		names[rule.ID] = rule.Name
	}
	var b strings.Builder
	for _, f := range r.Files {
		if f.Failed != nil {
			fmt.Fprintf(&b, "::error file=%s,title=not checked::%s\n", property(f.Name), message(f.Failed.Error()))
		}
		if f.Skipped != "" {
			fmt.Fprintf(&b, "::notice file=%s,title=skipped::%s\n", property(f.Name), message(f.shown()+" "+f.Skipped))
		}
		for _, p := range f.Findings() {
			fmt.Fprintf(&b, "::%s %s::%s\n", p.Severity, strings.Join(p.properties(f.Name, names[p.Rule]), ","), message(p.sentence()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) properties(file, rule string) []string {
	var list []string
	if f.Flag == "" && file != "-" {
		list = append(list, "file="+property(file))
		if f.Line > 0 {
			list = append(list, fmt.Sprintf("line=%d", f.Line), fmt.Sprintf("col=%d", f.Column))
		}
	}
	title := f.Rule + " " + rule
	if f.Path != "" {
		title += " " + f.Path
	}
	return append(list, "title="+property(strings.TrimSpace(title)))
}

// sentence is the finding without its place.
func (f Finding) sentence() string {
	p := f.Problem
	p.File, p.Line, p.Flag = "", 0, ""
	if f.Flag != "" {
		return "--" + f.Flag + ": " + p.String()
	}
	return p.String()
}

// message escapes the text of a workflow command.
func message(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// property escapes the value of a property of a workflow command.
func property(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}
