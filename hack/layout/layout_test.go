// SPDX-License-Identifier: Apache-2.0

// Package layout_test enforces how packages may depend on each other, and what
// every file and package must have.
package layout_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const module = "github.com/kube-live/kube-controller-manager/"

// bans are dependencies that must not exist, with the reason.
var bans = []struct{ from, to, why string }{
	{"apis/", module + "pkg/", "the configuration API is used by programs that are not this one"},
	{"pkg/controllers/", module + "pkg/controllers/", "controllers share through pkg/kube, never with each other"},
	{"pkg/controllers/", module + "pkg/manager", "a controller must not know who runs it"},
	{"pkg/controllers/", module + "pkg/config", "a controller knows its own section only"},
	{"pkg/controllers/", module + "pkg/server", "a controller offers pages, it does not serve them"},
	{"pkg/controllers/", module + "pkg/catalog", "the catalog lists controllers, not the other way round"},
	{"pkg/manager", module + "pkg/controllers/", "the manager knows no single controller"},
	{"pkg/plan", module + "pkg/manager", "a plan is data; the manager carries it out"},
	{"pkg/config", module + "pkg/controller", "a configuration is valid or not whatever runs"},
	{"pkg/kube/", module + "pkg/controllers/", "domain parts are what controllers share, not what they are"},
	{"pkg/kube/", module + "pkg/manager", "domain parts must not know who runs controllers"},
	{"pkg/", module + "pkg/testkit", "test code stays out of the program"},
	{"cmd/", module + "pkg/testkit", "test code stays out of the program"},
	{"", "k8s.io/kubernetes", "it is no library; the program stands on published modules"},
	{"", "k8s.io/apiserver/pkg/server/options", "it brings the whole generic API server"},
}

type pkg struct {
	ImportPath   string
	Dir          string
	Imports      []string
	Deps         []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	root, err := testkit.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", "./apis/...", "./pkg/...", "./cmd/...", "./hack/...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func TestDependencies(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		for _, b := range bans {
			if !strings.HasPrefix(path+"/", b.from) || strings.HasPrefix(p.ImportPath, b.to) && b.from == "pkg/" || strings.HasPrefix(path, "hack/") {
				continue
			}
			imports := p.Imports
			if !strings.HasPrefix(b.to, module) {
				imports = p.Deps // not even through others
			}
			for _, i := range imports {
				if i == strings.TrimSuffix(b.to, "/") || strings.HasPrefix(i, strings.TrimSuffix(b.to, "/")+"/") {
					t.Errorf("%s imports %s: %s", path, i, b.why)
				}
			}
		}
	}
}

func TestFilesAndPackagesIntroduceThemselves(t *testing.T) {
	for _, p := range packages(t) {
		documented := false
		all := append(append(append([]string{}, p.GoFiles...), p.TestGoFiles...), p.XTestGoFiles...)
		for _, name := range all {
			file := filepath.Join(p.Dir, name)
			if line := firstLine(t, file); line != "// SPDX-License-Identifier: Apache-2.0" {
				t.Errorf("%s begins with %q, want the licence line", file, line)
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || f.Doc != nil
		}
		if !documented {
			t.Errorf("package %s has no comment that says what it is for", p.ImportPath)
		}
		for _, word := range []string{"util", "utils", "common", "helpers", "misc"} {
			if filepath.Base(p.Dir) == word {
				t.Errorf("package %s is named for nothing in particular", p.ImportPath)
			}
		}
	}
}

func firstLine(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return s.Text()
}

// The key of a section, the name in the log and the metric label are one name,
// and the package has it too.
func TestControllersAreNamedAfterTheirPackages(t *testing.T) {
	root, err := testkit.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range catalog.All() {
		folder := strings.ReplaceAll(strings.TrimSuffix(d.Name, "-controller"), "-", "")
		if _, err := os.Stat(filepath.Join(root, "pkg", "controllers", folder)); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		if names[folder] {
			t.Errorf("%s is in the catalog twice", d.Name)
		}
		names[folder] = true
		if catalog.Names()[d.Name] != d.Name || d.Alias != "" && catalog.Names()[d.Alias] != d.Name {
			t.Errorf("%s with alias %q is not among upstream's names", d.Name, d.Alias)
		}
		if (d.ServiceAccount == "") == (d.Root == "") {
			t.Errorf("%s has no identity, or two", d.Name)
		}
	}
	folders, err := os.ReadDir(filepath.Join(root, "pkg", "controllers"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.IsDir() && !names[f.Name()] {
			t.Errorf("pkg/controllers/%s is not in the catalog", f.Name())
		}
	}
}
