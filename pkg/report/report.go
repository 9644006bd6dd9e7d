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

// File is what was found in one file.
type File struct {
	// Name as it was given, or "-" for the standard input.
	Name string
	// Key is that of the ConfigMap's data whose configuration this is about, or "".
	Key string
	// Hash identifies the content of a valid file, as sha256sum begins.
	Hash string
	// Errors make the file invalid, Warnings do not.
	Errors, Warnings []config.Problem
	// Failed is why the file could not be checked at all.
	Failed error
	// Skipped is why there was nothing to check, as the end of a sentence about the
	// file, or "".
	Skipped string
}

// Report is what was found in all files.
type Report struct{ Files []File }

// Rule is a kind of finding, for formats that explain them: its identifier, its
// name in lower case with hyphens, what it says in a sentence, and what to do.
type Rule struct{ ID, Name, Summary, Help string }

// Finding is one problem with its severity.
type Finding struct {
	Severity Severity
	config.Problem
}

// Findings are the errors and then the warnings of a file.
func (f File) Findings() []Finding {
	var list []Finding
	for _, p := range f.Errors {
		list = append(list, Finding{Error, p})
	}
	for _, p := range f.Warnings {
		list = append(list, Finding{Warning, p})
	}
	return list
}

// Counts are the numbers of errors and of warnings, of files that could not be
// checked, and of files in which there was nothing to check.
type Counts struct{ Errors, Warnings, Failed, Skipped int }

// Count counts.
func (r Report) Count() (n Counts) {
	for _, f := range r.Files {
		n.Errors += len(f.Errors)
		n.Warnings += len(f.Warnings)
		if f.Failed != nil {
			n.Failed++
		}
		if f.Skipped != "" {
			n.Skipped++
		}
	}
	return n
}

// Formats are the names that Write understands.
func Formats() []string { return []string{"text", "json", "sarif", "github"} }

// Write writes the report. The rules are those that may appear in it; version is
// that of the program. The error is about the format's name or from w.
func (r Report) Write(w io.Writer, format, version string, rules []Rule) error {
	switch format {
	case "text":
		return r.text(w)
	case "json":
		return r.json(w)
	case "sarif":
		return r.sarif(w, version, rules)
	case "github":
		return r.github(w, rules)
	}
	return fmt.Errorf("output format %q is not one of %q", format, Formats())
}
