// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-live/kube-controller-manager/pkg/config"
)

func TestCheckOfMergedFiles(t *testing.T) {
	root := t.TempDir()
	dir := func(name string, files ...string) string {
		path := filepath.Join(root, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		for i, body := range files {
			file(t, path, string(rune('a'+i))+".yaml", head+body+"\n")
		}
		return path
	}
	base := file(t, root, "base.yaml", quiet)
	bad := file(t, root, "bad.yaml", quiet+"logging: {format: xml}\n")
	empty := dir("empty")
	fixing := dir("fixing", "logging: {format: json}")
	doubtful := dir("doubtful", "informers: {minResyncPeriod: 1m}")
	wrong := dir("wrong", "loging: {}", "serving: {port: -1}")
	missing := filepath.Join(root, "missing")
	for _, tc := range []struct {
		name, stdin string
		args        []string
		code        int
		says        string
	}{
		{"valid", "", []string{"--config-dir", fixing, base}, 0, "ROOT/base.yaml with ROOT/fixing: valid\n"},
		{"alone", "", []string{"--config-dir", empty}, 0, "ROOT/empty: valid"},
		{"a folder without files", "", []string{"--config-dir", empty, base}, 0, ": valid\n"},
		{"what is replaced is no mistake", "", []string{"--config-dir", fixing, bad}, 0, ": valid\n"},
		{"standard input", quiet, []string{"--config-dir", fixing, "-"}, 0, "- with ROOT/fixing: valid\n"},
		{"mistakes of all files", "", []string{"--config-dir", wrong, bad}, 1, "\n3 files: 3 errors, 0 warnings\n"},
		{"their places", "", []string{"--config-dir", wrong, bad}, 1, "ROOT/wrong/b.yaml:3:17: error: serving.port"},
		{"warning", "", []string{"--config-dir", doubtful, "--fail-on-warning", base}, 3, "ROOT/doubtful/a.yaml:3:30: warning: informers.minResyncPeriod"},
		{"no such folder", "", []string{"--config-dir", missing, base}, 2, "open ROOT/missing: no such file"},
		{"two files", "", []string{"--config-dir", empty, base, base}, 2, "accepts at most 1 arg"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, errs, code := command(tc.stdin, append([]string{"check"}, tc.args...)...)
			said := strings.ReplaceAll(out+errs, root, "ROOT")
			if code != tc.code || !strings.Contains(said, tc.says) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tc.code, tc.says, said)
			}
		})
	}
	out, _, _ := command("", "check", "-o", "json", "--config-dir", fixing, base)
	var report struct{ Files []struct{ Hash string } }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	c := config.Paths{File: base, Dir: fixing}.Read()
	want := config.Hash(append([]config.Source{{Name: base, Data: c.Data}}, c.DropIns...))
	if len(report.Files) != 1 || report.Files[0].Hash != want {
		t.Errorf("%+v, want the hash %s of both files", report.Files, want)
	}
}

func TestPlanOfFolders(t *testing.T) {
	from, to, wrong := t.TempDir(), t.TempDir(), t.TempDir()
	file(t, from, "a.yaml", quiet)
	file(t, to, "a.yaml", quiet)
	file(t, to, "b.yaml", head+"controllers: {serviceaccount-controller: {enabled: false}}\n")
	bad := file(t, wrong, "b.yaml", head+"controllers: {serviceaccount-controller: {enabeld: false}}\n")
	for _, tc := range []struct {
		name, from, to string
		code           int
		says           string
	}{
		{"nothing", from, from, 0, ""},
		{"a drop-in turns a controller off", from, to, exitChanges, "stop"},
		{"folder and file", from, filepath.Join(from, "a.yaml"), 0, ""},
		{"a mistake", from, wrong, 1, bad + ":3:43: error: controllers.serviceaccount-controller.enabeld"},
		{"no such folder", from, from + "/none", 1, "none: no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, errs, code := command("", "plan", "--from", tc.from, "--to", tc.to)
			if code != tc.code || !strings.Contains(out+errs, tc.says) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tc.code, tc.says, out+errs)
			}
		})
	}
}

func TestMigrateIncludesDropIns(t *testing.T) {
	dir := t.TempDir()
	base := file(t, dir, "base.yaml", quiet+"logging: {verbosity: 3}\n")
	file(t, dir, "a.yaml", head+"logging: {verbosity: 5}\n")
	out, errs, code := command("", "migrate", "--", "--config="+base, "--config-dir="+dir, "--kube-api-burst=77")
	if code != 0 || !strings.Contains(out, "verbosity: 5") || !strings.Contains(out, "burst: 77") || !strings.Contains(out, "baseline: None") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
