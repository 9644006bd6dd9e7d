// SPDX-License-Identifier: Apache-2.0

// Package config turns bytes and flags into a configuration that can be run:
// decode strictly, default, lay flags over it, validate, resolve. It is pure;
// what it says offline is what a running manager does. It also watches the
// file. Every mistake is reported at once, each with its place and a remedy.
package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake or warning.
type Problem struct {
	// Rule is the identifier of the rule that found it, e.g. "KCM101", or ""
	// for a mistake that keeps the file from being a configuration at all.
	Rule string
	// File is the file's name, or "" when the value came from a flag.
	File string
	// Line and Column count from 1; 0 is unknown.
	Line, Column int
	// Flag is the flag that gave the value, without dashes.
	Flag string
	// Path is the field, e.g. "leaderElection.retryPeriod".
	Path string
	// Value is what was found, as text.
	Value string
	// Reason says what is wrong.
	Reason string
	// Hint says what would be right.
	Hint string
}

// String is the problem in one line, beginning with its place.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Flag != "":
		fmt.Fprintf(&b, "--%s: ", p.Flag)
	case p.Line > 0:
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	case p.File != "":
		fmt.Fprintf(&b, "%s: ", p.File)
	}
	if p.Path != "" {
		fmt.Fprintf(&b, "%s: ", p.Path)
	}
	b.WriteString(p.Reason)
	if p.Value != "" {
		fmt.Fprintf(&b, ", got %q", p.Value)
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "; %s", p.Hint)
	}
	return b.String()
}

// Errors is what Load returns for an invalid configuration: all its problems,
// in the order of their places.
type Errors []Problem

// Error is one problem per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders problems by their places, and leaves out most of very many.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if len(e) > maxProblems {
		more := Problem{File: e[0].File, Reason: fmt.Sprintf("there are more than %d mistakes, the rest is not shown", maxProblems)}
		e = append(e[:maxProblems:maxProblems], more)
	}
	return e
}
