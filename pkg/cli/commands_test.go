// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
)

const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"

// quiet has no warning, whatever is implemented.
const quiet = head + "controllers: {baseline: None, serviceaccount-controller: {enabled: true}}\n"

// command runs the program as main does.
func command(stdin string, args ...string) (stdout, stderr string, code int) {
	root := Root()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(args)
	code = Exit(&errs, root.Execute())
	return out.String(), errs.String(), code
}

func file(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckExitStatus(t *testing.T) {
	dir := t.TempDir()
	good := file(t, dir, "good.yaml", quiet)
	bad := file(t, dir, "bad.yaml", head+"logging: {format: xml}\n")
	doubtful := file(t, dir, "doubtful.yaml", quiet+"informers: {minResyncPeriod: 1m}\n")
	missing := file(t, dir, "missing.yaml", quiet+"clientConnection: {kubeconfig: gone.conf}\n")
	empty := t.TempDir()
	folder := t.TempDir()
	file(t, folder, "a.yml", quiet)
	file(t, folder, "b.yaml", quiet)
	file(t, folder, "c.json", "no YAML that is looked at")
	if err := os.Mkdir(filepath.Join(folder, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, stdin string
		args        []string
		code        int
		says        string // in stdout or stderr
	}{
		{"valid", "", []string{good}, 0, "good.yaml: valid\n"},
		{"invalid", "", []string{bad}, 1, "bad.yaml:3:19: error: logging.format [KCM017]\n    value   xml\n    reason  must be one of text, json\nbad.yaml: 1 error\n"},
		{"warning", "", []string{doubtful}, 0, "warning: informers.minResyncPeriod [KCM109]"},
		{"fail on warning", "", []string{"--fail-on-warning", doubtful}, 3, "valid, 1 warning"},
		{"errors before warnings", "", []string{"--fail-on-warning", doubtful, bad}, 1, "2 files: 1 error, 1 warning"},
		{"no such file", "", []string{filepath.Join(dir, "nope.yaml"), bad}, 2, "not checked: open"},
		{"standard input", quiet, []string{"-"}, 0, "<stdin>: valid\n"},
		{"invalid standard input", "", []string{"-"}, 1, "<stdin>: error: the file is empty [KCM011]\n"},
		{"standard input twice", quiet, []string{"-", "-"}, 2, "only once"},
		{"folder", "", []string{folder}, 0, "2 files: 0 errors"},
		{"empty folder", "", []string{empty}, 2, "has no *.yaml or *.yml file"},
		{"nothing", "", nil, 2, "requires at least 1 arg"},
		{"unknown flag", "", []string{"--nope", good}, 2, "unknown flag: --nope"},
		{"unknown format", "", []string{"-o", "xml", good}, 2, "text, json, sarif, github"},
		{"files are not looked at", "", []string{missing}, 0, "valid\n"},
		{"files", "", []string{"--check-files", "--fail-on-warning", missing}, 3, "[KCM201]\n    value   " + dir},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, errs, code := command(tc.stdin, append([]string{"check"}, tc.args...)...)
			said := strings.ReplaceAll(out+errs, dir+"/bad", "bad")
			if code != tc.code || !strings.Contains(said, tc.says) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tc.code, tc.says, said)
			}
		})
	}
}

func TestCheckFormats(t *testing.T) {
	bad := file(t, t.TempDir(), "bad.yaml", head+"logging: {format: xml}\n")
	for format, says := range map[string]string{
		"json":   `"reason": "must be one of text, json"`,
		"sarif":  `"ruleId": "KCM017"`,
		"github": "line=3,col=19,title=KCM017 value logging.format::logging.format: must be one of",
	} {
		out, _, code := command("", "check", "-o", format, bad)
		if code != 1 || !strings.Contains(out, says) {
			t.Errorf("%s: exit %d, want %q in:\n%s", format, code, says, out)
		}
		if format != "github" && !json.Valid([]byte(out)) {
			t.Errorf("%s is not JSON:\n%s", format, out)
		}
	}
}

// endless never stops: what reads it must.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

func TestCheckOfHostileFiles(t *testing.T) {
	for name, text := range map[string]string{
		"10 MB":     head + strings.Repeat("# padding\n", 1<<20),
		"nested":    head + "featureGates: " + strings.Repeat("[", 500_000),
		"wide":      head + "featureGates: [" + strings.Repeat("a,", 250_000) + "]",
		"many keys": head + "controllers: {" + strings.Repeat("a: 1, ", 80_000) + "}",
		"paths":     head + "authorization: {alwaysAllowPaths: [" + strings.Repeat("'a*b',", 19_000) + "]}",
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, t.TempDir(), "hostile.yaml", text)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			out, _, code := command("", "check", path)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if code != 1 || len(out) > 1<<18 {
				t.Errorf("exit %d, %d bytes of output", code, len(out))
			}
			if took > 5*time.Second { // the race detector and other tests slow it down
				t.Errorf("took %s", took)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 500 {
				t.Errorf("allocated %d MB in all", mb)
			}
		})
	}
	data, err := read("-", endless{})
	if err != nil || len(data) > 1<<20 {
		t.Errorf("read %d bytes of an endless input, %v", len(data), err)
	}
}

func TestPlan(t *testing.T) {
	dir := t.TempDir()
	from := file(t, dir, "from.yaml", quiet)
	to := file(t, dir, "to.yaml", quiet+"clientConnection: {useServiceAccountCredentials: true}\n")
	bad := file(t, dir, "bad.yaml", head+"logging: {format: xml}\n")
	for _, tc := range []struct {
		name, stdin string
		args        []string
		code        int
		says        string
	}{
		{"no change", "", []string{"--from", from, "--to", from}, 0, "nothing changes\n"},
		{"change", "", []string{"--from", from, "--to", to}, 2, "restart  serviceaccount-controller: clientConnection.useServiceAccountCredentials false -> true\n"},
		{"json", "", []string{"--from", from, "--to", to, "-o", "json"}, 2, `"changed": true`},
		{"standard input", quiet, []string{"--from", "-", "--to", to}, 2, "replace  clients"},
		{"both from standard input", quiet, []string{"--from", "-", "--to", "-"}, 1, "only one"},
		{"invalid", "", []string{"--from", from, "--to", bad}, 1, "bad.yaml:3:19: error: logging.format [KCM017]\n"},
		{"no such file", "", []string{"--from", from, "--to", "nope"}, 1, "Error: open nope"},
		{"one file", "", []string{"--from", from}, 1, "use either --from FILE --to FILE, or FILE --server URL"},
		{"format", "", []string{"--from", from, "--to", to, "-o", "xml"}, 1, "not one of text, json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, errs, code := command(tc.stdin, append([]string{"plan"}, tc.args...)...)
			if code != tc.code || !strings.Contains(out+errs, tc.says) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, tc.code, tc.says, out, errs)
			}
		})
	}
}

func TestLists(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"controllers"}, "deployment-controller"},
		{[]string{"controllers", "-o", "wide"}, "SERVICE ACCOUNT"},
		{[]string{"controllers", "-o", "yaml"}, "name: deployment-controller"},
		{[]string{"controllers", "-o", "json"}, `"serviceAccount": "deployment-controller"`},
		{[]string{"feature-gates"}, "APIResponseCompression"},
		{[]string{"feature-gates", "--read"}, "AtomicFIFO"},
		{[]string{"feature-gates", "-o", "json"}, `"readBy": [`},
		{[]string{"version"}, "Kubernetes v"},
		{[]string{"version", "-o", "json"}, `"gitVersion"`},
		{[]string{"explain"}, "leaderElection"},
		{[]string{"explain", "deployment.workers"}, "DEFAULT     5\n"},
		{[]string{"explain", "leaderElection.leaseDuration"}, "FLAG        --leader-elect-lease-duration\n"},
		{[]string{"explain", "controllers.replicaset-controller"}, "ON CHANGE"},
		{[]string{"defaults", "deployment"}, "  deployment-controller:\n"},
		{[]string{"defaults", "leaderElection"}, "leaseDuration: 15s\n"},
		{[]string{"schema"}, `"$schema": "https://json-schema.org/draft/2020-12/schema"`},
		{[]string{"completion", "bash"}, "kube-controller-manager"},
		{[]string{"__complete", "defaults", "deploy"}, "deployment-controller"},
	} {
		out, errs, code := command("", tc.args...)
		if code != 0 || !strings.Contains(out, tc.says) {
			t.Errorf("%v: exit %d, want %q in:\n%s%s", tc.args, code, tc.says, out, errs)
		}
		switch tc.args[len(tc.args)-1] {
		case "json", "schema":
			if !json.Valid([]byte(out)) {
				t.Errorf("%v is not JSON", tc.args)
			}
		case "yaml":
			if err := yaml.Unmarshal([]byte(out), new(any)); err != nil {
				t.Errorf("%v: %v", tc.args, err)
			}
		}
	}
	out, _, _ := command("", "controllers")
	if lines := strings.Count(out, "\n"); lines != len(catalog.Entries())+3 {
		t.Errorf("%d lines for %d controllers", lines, len(catalog.Entries()))
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"explain", "leaderElection.leaseDurations"}, `leaderElection has no field "leaseDurations"; did you mean "leaseDuration"?`},
		{[]string{"explain", "deploymet"}, `did you mean "deployment"?`},
		{[]string{"defaults", "deploymet"}, `"deploymet" is neither a controller nor a field; did you mean "deployment"?`},
		{[]string{"controllers", "-o", "xml"}, "not one of text, wide, json, yaml"},
		{[]string{"version", "more"}, "unknown command"},
		{[]string{"chekc"}, "does not take any arguments"},
	} {
		out, errs, code := command("", tc.args...)
		if code != 1 || !strings.Contains(errs, tc.says) || strings.Count(errs, "Error: ") != 1 {
			t.Errorf("%v: exit %d, want one error with %q:\n%s%s", tc.args, code, tc.says, out, errs)
		}
	}
}
