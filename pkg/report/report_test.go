// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/report"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func sample() report.Report {
	return report.Report{Files: []report.File{
		{Name: "good.yaml", Hash: "0123456789abcdef"},
		{Name: "etc/a b,c%.yaml",
			Errors: []config.Problem{
				{Rule: "KCM017", File: "etc/a b,c%.yaml", Line: 5, Column: 14, Path: "controllers.deployment-controller.workers", Value: "0", Reason: "must be at least 1"},
				{Rule: "KCM011", File: "etc/a b,c%.yaml", Reason: "the file is empty", Hint: "begin with apiVersion and kind"},
				{Rule: "KCM016", Flag: "v", Path: "logging.verbosity", Value: "two\nlines: <100%>, a comma", Reason: "is not a number"},
			},
			Warnings: []config.Problem{
				{Rule: "KCM101", File: "etc/a b,c%.yaml", Line: 2, Column: 1, Path: "clientConnection.burst", Value: "5",
					Reason: "this sentence is so long that it does not fit on a line of a terminal and has to go on in the next one",
					Hint:   "shorten it"},
				{Rule: "KCM031", File: "etc/a b,c%.yaml", Line: 3, Column: 1, Path: "cluster.name", Reason: "has no effect"},
			}},
		{Name: "-", Warnings: []config.Problem{{Rule: "KCM031", File: "-", Line: 1, Column: 1, Path: "kind", Reason: "is odd"}}},
		{Name: "map.yaml", Key: "kcm", Errors: []config.Problem{{Rule: "KCM017", File: "map.yaml", Line: 9, Column: 7, Path: "logging.format", Reason: "must be one of text, json"}}},
		{Name: "etc/rbac.yaml", Skipped: "is a ClusterRole (rbac.authorization.k8s.io/v1), which has no configuration"},
		{Name: "/etc/gone.yaml", Failed: errors.New("open /etc/gone.yaml: no such file or directory")},
	}}
}

func rules() []report.Rule {
	return []report.Rule{
		{ID: "KCM011", Name: "form", Summary: "The text is wrong.", Help: "Write a text."},
		{ID: "KCM016", Name: "type", Summary: "The type is wrong.", Help: "Change it."},
		{ID: "KCM017", Name: "value", Summary: "The value is wrong.", Help: "Change it."},
		{ID: "KCM031", Name: "no-effect", Summary: "It has no effect.", Help: "Remove it."},
		{ID: "KCM101", Name: "burst", Summary: "Bursts are small.", Help: "Make them larger."},
	}
}

func written(t *testing.T, r report.Report, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format, "v1.37.2", rules()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormatsAreGolden(t *testing.T) {
	for _, format := range report.Formats() {
		testkit.Golden(t, "testdata/sample."+format, written(t, sample(), format))
	}
	if err := sample().Write(&bytes.Buffer{}, "xml", "", nil); err == nil || !strings.Contains(err.Error(), "sarif") {
		t.Errorf("an unknown format: %v, want an error that names the known ones", err)
	}
}

// sarifSchema is the JSON schema of SARIF 2.1.0. It is read out of a library's
// source, where it is a constant that the library only applies to types of its
// own.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	folder := reflect.TypeFor[sarif.Report]().PkgPath()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	packages, err := parser.ParseDir(token.NewFileSet(), strings.TrimSpace(string(out)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(packages["sarif"], func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "schema" {
			text, err = strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		}
		return err == nil
	})
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	compiler.AssertFormat()
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSARIFIsValid(t *testing.T) {
	schema := sarifSchema(t)
	valid := func(text string) error {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(doc)
	}
	for name, r := range map[string]report.Report{"nothing": {}, "sample": sample(), "valid": {Files: sample().Files[:1]}} {
		if err := valid(written(t, r, "sarif")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := written(t, sample(), "sarif")
	for _, wrong := range []string{
		strings.Replace(text, `"ruleId"`, `"rule"`, 1),
		strings.Replace(text, `"level": "error"`, `"level": "bad"`, 1),
		strings.Replace(text, `"driver"`, `"drivers"`, 1),
	} {
		if wrong == text {
			t.Error("nothing was replaced")
		}
		if valid(wrong) == nil {
			t.Error("an invalid report is called valid: the test checks nothing")
		}
	}
}

// A finding must not be able to add a command of its own to a workflow's log.
func TestGitHubCommandsStayOnTheirLines(t *testing.T) {
	out := written(t, report.Report{Files: []report.File{{Name: "a\n::error::b", Errors: []config.Problem{{Path: "x\r\ny", Value: "\n::set-output::", Reason: "bad\nthing"}}}}}, "github")
	if n := strings.Count(out, "\n"); n != 1 {
		t.Errorf("%d lines, want 1:\n%s", n, out)
	}
}
