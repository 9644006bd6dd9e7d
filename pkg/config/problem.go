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

// Rules that the loader's findings belong to. An identifier stays the same for
// ever; those of the lint rules begin at KCM101.
const (
	// RuleForm: the text is no single, readable YAML document with fields.
	RuleForm = "KCM011"
	// RuleLimit: too large, too deep, too many, or expanding to too much.
	RuleLimit = "KCM012"
	// RuleVersion: apiVersion or kind is missing or another one.
	RuleVersion = "KCM013"
	// RuleUnknownField: no field has that name.
	RuleUnknownField = "KCM014"
	// RuleDuplicate: a field is set twice in one file.
	RuleDuplicate = "KCM015"
	// RuleType: the value is not of the field's type.
	RuleType = "KCM016"
	// RuleValue: the value is not one that the field may have.
	RuleValue = "KCM017"
	// RuleCrossField: values do not go together.
	RuleCrossField = "KCM018"
	// RuleUnknownController: no controller has that name.
	RuleUnknownController = "KCM019"
	// RuleNotImplemented: the program does not have the controller.
	RuleNotImplemented = "KCM020"
	// RuleGate: a feature gate is unknown, locked, or lacks one that it needs.
	RuleGate = "KCM021"
	// RuleInert: a warning about a value that has no effect.
	RuleInert = "KCM031"
	// RuleOverruled: a warning about a value that a flag overrules.
	RuleOverruled = "KCM032"
	// RuleDeprecated: a warning about what should not be used any more.
	RuleDeprecated = "KCM033"
)

// Kind is a kind of finding: its identifier, its name in lower case with
// hyphens, and what it says in one sentence.
type Kind struct{ ID, Name, Summary string }

// Rules are the kinds of the loader's findings, by identifier.
func Rules() []Kind {
	return []Kind{
		{RuleForm, "form", "The text is not one YAML document with fields."},
		{RuleLimit, "limit", "The configuration is larger or deeper than one may be."},
		{RuleVersion, "version", "The apiVersion or kind is missing or not supported."},
		{RuleUnknownField, "unknown-field", "No field has this name."},
		{RuleDuplicate, "duplicate-field", "A field is set twice."},
		{RuleType, "type", "A value is not of the type of its field."},
		{RuleValue, "value", "A value is not one that its field may have."},
		{RuleCrossField, "cross-field", "Values of several fields do not go together."},
		{RuleUnknownController, "unknown-controller", "No controller has this name."},
		{RuleNotImplemented, "not-implemented", "The program does not have a controller that is enabled."},
		{RuleGate, "feature-gate", "A feature gate is unknown, locked, or lacks one that it needs."},
		{RuleInert, "no-effect", "A value is accepted and has no effect."},
		{RuleOverruled, "overruled", "A flag overrules another value."},
		{RuleDeprecated, "deprecated", "Something is used that will go away."},
	}
}

// Problem is one mistake or warning.
type Problem struct {
	// Rule is the identifier of the rule that found it: one of Rules, or a lint
	// rule's such as "KCM101".
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

// sorted orders problems by their files' ranks and their places, flags first, and
// leaves out most of very many.
func (e Errors) sorted(rank map[string]int) Errors {
	file := func(p Problem) int {
		if p.Flag != "" {
			return -1
		}
		return rank[p.File]
	}
	slices.SortStableFunc(e, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(file(a), file(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if len(e) > maxProblems {
		more := Problem{Rule: RuleLimit, File: e[0].File, Reason: fmt.Sprintf("there are more than %d mistakes, the rest is not shown", maxProblems)}
		e = append(e[:maxProblems:maxProblems], more)
	}
	return e
}
