// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// checked is what the command check finds in a file that the user named.
func checked(t *testing.T, file string) []report.File {
	t.Helper()
	c := &checker{cmd: &cobra.Command{}}
	return c.judge(filepath.Base(file), content(t, file), true)
}

// mistakes are those of all invalid examples.
func mistakes(t *testing.T) []config.Problem {
	t.Helper()
	var all []config.Problem
	for _, file := range list(t, "invalid") {
		for _, f := range checked(t, file) {
			all = append(all, f.Errors...)
		}
	}
	return all
}

func TestEveryRuleOfUpstreamHasAnInvalidExample(t *testing.T) {
	for _, r := range upstreamRules() {
		if len(r.files) == 0 {
			t.Errorf("no file breaks the rule: %s", r.words)
		}
		for _, file := range r.files {
			if _, err := os.Stat(examples + "invalid/" + file + ".yaml"); err != nil {
				t.Errorf("%s: %v", r.words, err)
			}
		}
	}
}

// brokenRule is a declarative rule of a field.
type brokenRule struct{ path, reason string }

// Each declarative rule of each field is broken by an example.
func TestEveryRuleOfEveryFieldHasAnInvalidExample(t *testing.T) {
	seen := map[brokenRule]bool{}
	item := regexp.MustCompile(`\[[^]]*\]`)
	for _, p := range mistakes(t) {
		seen[brokenRule{item.ReplaceAllString(p.Path, ""), p.Reason}] = true
	}
	tags.Walk(&v1beta1.KubeControllerManagerConfiguration{}, func(f tags.Field) {
		for rule := range strings.SplitSeq(f.Tag.Get("validate"), ",") {
			name, param, _ := strings.Cut(rule, "=")
			switch name {
			case "", "-", "omitempty", "dive", "keys", "endkeys":
				continue
			}
			if !seen[brokenRule{f.Path, config.Rule(name, param)}] {
				t.Errorf("no file breaks the rule %q of %s", rule, f.Path)
			}
		}
	})
}

// Each rule about several fields, which is code, is broken by an example. The
// code is read for what it says when a rule is broken.
func TestEveryRuleAboutSeveralFieldsHasAnInvalidExample(t *testing.T) {
	var reasons []string
	for _, p := range mistakes(t) {
		reasons = append(reasons, p.Reason)
	}
	sentences := append(sentencesOf(t, "../config/upstream.go"), sentencesOf(t, "../config/validate.go")...)
	if len(sentences) < 15 {
		t.Fatalf("only %d sentences: %q", len(sentences), sentences)
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for _, s := range sentences {
		var parts []string
		for _, part := range verb.Split(s, -1) {
			parts = append(parts, regexp.QuoteMeta(part))
		}
		pattern := regexp.MustCompile("^" + strings.Join(parts, ".*"))
		found := false
		for _, r := range reasons {
			found = found || pattern.MatchString(r)
		}
		if !found {
			t.Errorf("no file breaks the rule: %s", s)
		}
	}
}

// sentencesOf are the reasons in a file's source: what is set as Reason, and the
// last but one argument of add.
func sentencesOf(t *testing.T, file string) (list []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Reason" {
				list = append(list, sentence(n.Value)...)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "add" {
				list = append(list, sentence(n.Args[len(n.Args)-2])...)
			}
		}
		return true
	})
	return list
}

// sentence is a literal, the format of a call, or the beginning of a sum.
func sentence(e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err == nil {
			return []string{text}
		}
	case *ast.BinaryExpr:
		return sentence(e.X)
	case *ast.CallExpr:
		if len(e.Args) > 0 {
			return sentence(e.Args[0])
		}
	}
	return nil
}

// Every kind of finding is in an example: errors among the invalid ones, warnings
// among the doubtful ones. Only a flag can overrule a file.
func TestEveryKindOfFindingHasAnExample(t *testing.T) {
	// To enable a controller that the program does not have is an error, and what is
	// set for it has no effect: lint rules about such are only in the tests of their
	// package.
	seen := map[string]bool{config.RuleOverruled: true, lint.RuleFile: true, "KCM105": true, "KCM107": true, "KCM114": true}
	for _, folder := range []string{"invalid", "doubtful"} {
		for _, file := range list(t, folder) {
			for _, f := range checked(t, file) {
				for _, p := range f.Findings() {
					seen[p.Rule] = true
				}
			}
		}
	}
	known := map[string]bool{}
	for _, r := range rules() {
		known[r.ID] = true
		if !seen[r.ID] {
			t.Errorf("no example has a finding of %s, %s", r.ID, r.Name)
		}
		if r.Name == "" || r.Help == "" || !strings.HasSuffix(r.Summary, ".") || !strings.HasSuffix(r.Help, ".") {
			t.Errorf("%+v does not say what to do", r)
		}
	}
	for id := range seen {
		if !known[id] {
			t.Errorf("findings have the rule %q, which is not among the rules", id)
		}
	}
}

// Each file tells in "# want:" lines what is doubtful about it: LINE:COLUMN RULE
// PATH. What is not implemented yet is left out.
func TestDoubtfulExamples(t *testing.T) {
	for _, file := range list(t, "doubtful") {
		want := wants(content(t, file))
		var got []string
		for _, f := range checked(t, file) {
			for _, p := range f.Errors {
				t.Errorf("%s: %s", file, p)
			}
			for _, p := range f.Warnings {
				if p.Rule != config.RuleNotImplemented {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Rule, p.Path)))
				}
			}
		}
		if len(want) == 0 || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: found\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// wants are the "# want:" lines at the top of a file.
func wants(data []byte) (want []string) {
	for line := range strings.Lines(string(data)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "# want: ")
		if !ok {
			break
		}
		want = append(want, text)
	}
	return want
}
