// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryProblemHasARule(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Rules() {
		if seen[k.ID] || seen[k.Name] || !strings.HasPrefix(k.ID, "KCM0") || !strings.HasSuffix(k.Summary, ".") {
			t.Errorf("%+v", k)
		}
		seen[k.ID], seen[k.Name] = true, true
	}
	rules := func(in Input) (list []string) {
		l, err := Load(in)
		var problems []Problem
		if err == nil {
			problems = l.Warnings
		} else {
			problems = err.(Errors) //nolint:errorlint // Load returns no other
		}
		for _, p := range problems {
			list = append(list, p.Rule)
		}
		return list
	}
	none := func(string) bool { return false }
	for body, want := range map[string][]string{
		"":                                   {RuleForm},
		"a: {":                               {RuleForm},
		"- a":                                {RuleForm},
		head + "---\n" + head:                {RuleForm},
		head + strings.Repeat("#", MaxBytes): {RuleLimit},
		"logging: {}":                        {RuleVersion},
		head + "loging: {}":                  {RuleUnknownField},
		head + "logging: {}\nlogging: {}":    {RuleDuplicate},
		head + "logging: {verbosity: a}":     {RuleType},
		head + "logging: []":                 {RuleType},
		head + "logging: {verbosity: -1}":    {RuleValue},
		head + "serving: {tlsCertFile: a}":   {RuleCrossField},
		head + "logging: {vmodule: [a=1], format: json}":                                  {RuleCrossField},
		head + "featureGates: {A: true}":                                                  {RuleGate},
		head + "controllers: {baseline: None, job-controller: {enabled: true}}":           {RuleNotImplemented},
		"generic: {controllers: [nope]}":                                                  {RuleUnknownController},
		head + "controllers: {baseline: Default}":                                         {RuleNotImplemented},
		head + "controllers: {baseline: None}\nfeatureGates: {EphemeralContainers: true}": {RuleInert},
		"generic: {bind_port: 10252, controllers: []}":                                    {RuleDeprecated},
	} {
		got := rules(Input{File: "c.yaml", Data: []byte(body), Names: names, Implemented: none})
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("%.150q (-want +got)\n%s", body, diff)
		}
	}
	overruled := Input{File: "c.yaml", Data: []byte(head + "logging: {verbosity: 3}\nfeatureGates: {AllBeta: true}"), Flags: map[string]string{"v": "4", "feature-gates": "AllBeta=false"}}
	if diff := cmp.Diff([]string{RuleOverruled, RuleOverruled}, rules(overruled)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
