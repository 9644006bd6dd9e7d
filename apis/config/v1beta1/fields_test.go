// SPDX-License-Identifier: Apache-2.0

package v1beta1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Comments of fields are the reference documentation: each field has one that
// begins with its name, and one without effect says so.
func TestEveryFieldIsDocumented(t *testing.T) {
	source := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, p := range packages {
		ast.Inspect(p, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					count += documented(t, spec.Name.Name, f)
				}
			}
			return true
		})
	}
	if count < 200 {
		t.Errorf("only %d fields were found", count)
	}
}

func documented(t *testing.T, in string, f *ast.Field) int {
	t.Helper()
	for _, name := range f.Names {
		where, doc := in+"."+name.Name, strings.Join(strings.Fields(f.Doc.Text()), " ")
		if !strings.HasPrefix(doc, name.Name+" ") || !strings.HasSuffix(doc, ".") {
			t.Errorf("%s: the comment %q must begin with the name and end with a full stop", where, doc)
		}
		if f.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			t.Fatal(err)
		}
		inert := reflect.StructTag(text).Get("inert") != ""
		if says := strings.Contains(doc, "has no effect"); says != inert {
			t.Errorf("%s: the comment says that it has no effect: %v, its tag: %v", where, says, inert)
		}
	}
	return len(f.Names)
}

func TestSectionsAreSortedAndNamed(t *testing.T) {
	var names []string
	c := reflect.TypeFor[v1beta1.Controllers]()
	for i := range c.NumField() {
		f := c.Field(i)
		name, _ := tags.JSONName(f)
		if name == "baseline" {
			continue
		}
		names = append(names, name)
		if f.Type.Name() != f.Name+"Controller" {
			t.Errorf("%s: the field %s has the type %s", name, f.Name, f.Type.Name())
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("sections are not sorted: %q", names)
	}
	if len(names) != 52 {
		t.Errorf("%d sections, want upstream's 49 and three of cloud providers", len(names))
	}
}

func TestTextsOfValues(t *testing.T) {
	for _, tc := range []struct {
		into any
		text string
		want string // "" is an error
	}{
		{new(v1beta1.Size), "4Ki", "4Ki"}, {new(v1beta1.Size), "0", "0"}, {new(v1beta1.Size), "-1", ""}, {new(v1beta1.Size), "x", ""},
		{new(v1beta1.Size), strings.Repeat("9", 64), strings.Repeat("9", 64)}, {new(v1beta1.Size), strings.Repeat("9", 65), ""},
		{new(v1beta1.ModuleLevel), "a/*=3", "a/*=3"}, {new(v1beta1.ModuleLevel), "a", ""}, {new(v1beta1.ModuleLevel), "a=-1", ""}, {new(v1beta1.ModuleLevel), "=1", ""},
		{new(v1beta1.NamedCertificate), "a, b", "a,b"}, {new(v1beta1.NamedCertificate), "a,b:*.x,y", "a,b:*.x,y"}, {new(v1beta1.NamedCertificate), "a", ""},
		{new(v1beta1.NamedCertificate), "a,b,c", ""}, {new(v1beta1.GroupResource), "a.b.c", "a.b.c"}, {new(v1beta1.GroupResource), ".c", ""},
	} {
		v := reflect.ValueOf(tc.into).Elem()
		err := tags.SetText(v, tc.text)
		if (err != nil) != (tc.want == "") || err == nil && tags.Text(v) != tc.want {
			t.Errorf("%s from %q: %q, %v; want %q", v.Type(), tc.text, tags.Text(v), err, tc.want)
		}
	}
}

// What was written can be read again, and is the same.
func FuzzTextsOfValues(f *testing.F) {
	for _, seed := range []string{"a,b:c,d", "a=1", "4Ki", "events.events.k8s.io", "", "a,b:", "1e400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, into := range []any{new(v1beta1.Size), new(v1beta1.ModuleLevel), new(v1beta1.NamedCertificate), new(v1beta1.GroupResource)} {
			v := reflect.ValueOf(into).Elem()
			if tags.SetText(v, text) != nil {
				continue
			}
			written := tags.Text(v)
			again := reflect.New(v.Type()).Elem()
			if err := tags.SetText(again, written); err != nil || tags.Text(again) != written {
				t.Errorf("%s: %q is written as %q and read as %q, %v", v.Type(), text, written, tags.Text(again), err)
			}
		}
	})
}
