// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

const ownHead = "apiVersion: " + v1beta1.APIVersion + "\nkind: " + v1beta1.Kind + "\n"

// told is what "check" prints, and its exit status.
func told(t *testing.T, stdin string, args ...string) (string, int) {
	t.Helper()
	cmd := checkCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(args)
	var exit *ExitError
	switch err := cmd.Execute(); {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &exit):
		return out.String(), exit.Code
	default:
		t.Fatal(err)
		return "", 0
	}
}

// The manifest's own lines and columns, whatever its indentation and line ends.
func TestMistakesInConfigMapsHaveThePlacesOfTheManifest(t *testing.T) {
	const mistake = "logging:\n  verbosity: -1\n\n  format: text\n  format: json\n"
	block := func(header, indentation string) string {
		lines := strings.Split(ownHead+mistake, "\n")
		for i, line := range lines {
			if line != "" {
				lines[i] = indentation + line
			}
		}
		return "apiVersion: v1\nkind: ConfigMap\ndata:\n  other: text\n  kcm: " + header + "\n" + strings.Join(lines, "\n")
	}
	for name, tc := range map[string]struct {
		manifest string
		want     []string // LINE:COLUMN REASON
	}{
		"block":           {block("|", "    "), []string{"9:18 must be at least 0", "12:7 field is set twice, first in line 11"}},
		"deeper":          {block("|-", "       "), []string{"9:21 must be at least 0", "12:10 field is set twice, first in line 11"}},
		"comment":         {block("|+ # hand-made", "   "), []string{"9:17 must be at least 0", "12:6 field is set twice, first in line 11"}},
		"Windows":         {strings.ReplaceAll(block("|", "    "), "\n", "\r\n"), []string{"9:18 must be at least 0", "12:7 field is set twice, first in line 11"}},
		"own indentation": {block("|2", "    "), []string{"9:18 must be at least 0", "12:7 field is set twice, first in line 11"}},
		"anchor":          {block("&kcm |", "    "), []string{"9:18 must be at least 0", "12:7 field is set twice, first in line 11"}},
		"folded":          {"apiVersion: v1\nkind: ConfigMap\ndata:\n  kcm: >-\n    " + `{"apiVersion": "` + v1beta1.APIVersion + `", "kind": "` + v1beta1.Kind + `", "logging": {"verbosity": -1}}`, []string{"4:8 must be at least 0 (in line 1, column 134 of the text of data.kcm)"}},
		"JSON":            {`{"apiVersion": "v1", "kind": "ConfigMap", "data": {"kcm": "kind: ` + v1beta1.Kind + `\nlogging: 1"}}`, []string{"1:59 is missing (in line 1, column 1 of the text of data.kcm)", "1:59 must be a mapping of fields (in line 2, column 10 of the text of data.kcm)"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &checker{}
			var got []string
			for _, f := range c.judge("m.yaml", []byte(tc.manifest), true) {
				if f.Key != "kcm" || f.Name != "m.yaml" {
					t.Errorf("file %q, key %q", f.Name, f.Key)
				}
				for _, p := range f.Errors {
					got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Reason))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, tc.manifest)
			}
		})
	}
}

func TestCheckOfFoldersWithManifests(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := "apiVersion: v1\nkind: ConfigMap\ndata:\n  kcm: |\n" + "    " + strings.ReplaceAll(strings.TrimSpace(ownHead), "\n", "\n    ") + "\n"
	role := write("role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nrules: []\n")
	if out, exit := told(t, "", dir); exit != exitUnchecked || !strings.Contains(out, "skipped: is a ClusterRole (rbac.authorization.k8s.io/v1)") {
		t.Errorf("nothing to check: exit %d, %s", exit, out)
	}
	write("map.yaml", good)
	if out, exit := told(t, "", dir); exit != 0 || !strings.Contains(out, "role.yaml: skipped") || !strings.Contains(out, "map.yaml, data.kcm: valid") {
		t.Errorf("folder: exit %d, %s", exit, out)
	}
	for _, format := range []string{"json", "sarif", "github"} {
		if out, exit := told(t, "", "-o", format, dir); exit != 0 || !strings.Contains(out, "is a ClusterRole") {
			t.Errorf("%s: exit %d, %s", format, exit, out)
		}
	}
	if out, exit := told(t, "", role, dir); exit != exitInvalid || !strings.Contains(out, "the file is a ClusterRole (rbac.authorization.k8s.io/v1), not a") {
		t.Errorf("named: exit %d, %s", exit, out)
	}
	if out, exit := told(t, good, "-"); exit != 0 || !strings.Contains(out, "<stdin>, data.kcm: valid") {
		t.Errorf("standard input: exit %d, %s", exit, out)
	}
	if out, exit := told(t, "", "--check-files", write("map.yaml", good+"    clientConnection: {kubeconfig: /not/here}\n")); exit != 0 || strings.Contains(out, "KCM201") {
		t.Errorf("the pod's files are not those of this machine: exit %d, %s", exit, out)
	}
	write("two.yaml", good+"---\n"+good)
	if out, exit := told(t, "", dir); exit != exitInvalid || !strings.Contains(out, "more than one document") {
		t.Errorf("two documents: exit %d, %s", exit, out)
	}
}

// The examples are what they are shown for.
func TestCheckOfTheValidExamples(t *testing.T) {
	out, exit := told(t, "", examples+"valid")
	if exit != 0 || !strings.Contains(out, ": 0 errors") {
		t.Errorf("exit %d\n%s", exit, out)
	}
}
