// SPDX-License-Identifier: Apache-2.0

// Package report writes what was found in configuration files: for people, for
// programs (JSON), for code scanning (SARIF 2.1.0), and as annotations of GitHub
// workflows.
package report

import (
	"fmt"
	"io"

	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// Severity is how bad a finding is.
type Severity string

// Severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Rules of findings that no lint rule made.
const (
	// RuleInvalid is a mistake: the file is not a configuration.
	RuleInvalid = "KCM001"
	// RuleWarning is a warning of the loader, such as a field without effect.
	RuleWarning = "KCM002"
)

// File is what was found in one file.
type File struct {
	// Name as it was given, or "-" for the standard input.
	Name string
	// Hash identifies the content of a valid file, as sha256sum begins.
	Hash string
	// Errors make the file invalid, Warnings do not.
	Errors, Warnings []config.Problem
	// Failed is why the file could not be checked at all.
	Failed error
}

// Report is what was found in all files.
type Report struct{ Files []File }

// Rule is a kind of finding, for formats that explain them.
type Rule struct{ ID, Name, Summary string }

// Finding is one problem with its severity.
type Finding struct {
	Severity Severity
	config.Problem
}

// Findings are the errors and then the warnings of a file. Each has a rule.
func (f File) Findings() []Finding {
	var list []Finding
	add := func(s Severity, rule string, problems []config.Problem) {
		for _, p := range problems {
			if p.Rule == "" {
				p.Rule = rule
			}
			list = append(list, Finding{s, p})
		}
	}
	add(Error, RuleInvalid, f.Errors)
	add(Warning, RuleWarning, f.Warnings)
	return list
}

// Count is the number of errors, of warnings, and of files that could not be
// checked.
func (r Report) Count() (errors, warnings, failed int) {
	for _, f := range r.Files {
		errors += len(f.Errors)
		warnings += len(f.Warnings)
		if f.Failed != nil {
			failed++
		}
	}
	return errors, warnings, failed
}

// Formats are the names that Write understands.
func Formats() []string { return []string{"text", "json", "sarif", "github"} }

// Write writes the report. The rules are those that may appear in it beside
// RuleInvalid and RuleWarning; version is that of the program. The error is about
// the format's name or from w.
func (r Report) Write(w io.Writer, format, version string, rules []Rule) error {
	switch format {
	case "text":
		return r.text(w)
	case "json":
		return r.json(w)
	case "sarif":
		return r.sarif(w, version, rules)
	case "github":
		return r.github(w)
	}
	return fmt.Errorf("output format %q is not one of %q", format, Formats())
}
