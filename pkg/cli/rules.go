// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// rules are all that a report may be about.
func rules() []report.Rule {
	var list []report.Rule
	for _, r := range config.Rules() {
		list = append(list, report.Rule{ID: r.ID, Name: r.Name, Summary: r.Summary, Help: help()[r.ID]})
	}
	for _, r := range lint.Rules() {
		list = append(list, report.Rule{ID: r.ID, Name: r.Name, Summary: r.Summary, Help: r.Help})
	}
	return list
}

// help says for the loader's rules what to do.
func help() map[string]string {
	return map[string]string{
		config.RuleForm:              "Write one YAML document that begins with apiVersion and kind, in UTF-8, indented with spaces.",
		config.RuleLimit:             "Write the values out: a configuration has at most some hundred lines and is nested five deep.",
		config.RuleVersion:           "Begin with the apiVersion and kind that \"kube-controller-manager defaults\" prints, or have \"convert\" write the file anew.",
		config.RuleUnknownField:      "Look the field up with \"kube-controller-manager explain PATH\". Names are in camelCase and letter case counts.",
		config.RuleDuplicate:         "Keep one of the two. Names count as one when an older version has two spellings of them.",
		config.RuleType:              "Look the type up with \"kube-controller-manager explain PATH\". Durations are written as 15s or 5m, numbers and switches without quotes.",
		config.RuleValue:             "Look the range up with \"kube-controller-manager explain PATH\".",
		config.RuleCrossField:        "Change one of the fields that the message names, so that they agree.",
		config.RuleUnknownController: "Look the name up with \"kube-controller-manager controllers\".",
		config.RuleNotImplemented:    "Remove the switch, or set it to false. \"kube-controller-manager controllers\" tells which ones there are.",
		config.RuleGate:              "Look the gate up with \"kube-controller-manager feature-gates\".",
		config.RuleInert:             "Remove the value: nothing reads it.",
		config.RuleOverruled:         "Remove the flag, so that the file decides, or the value that it overrules.",
		config.RuleDeprecated:        "Use what the message names instead.",
	}
}
