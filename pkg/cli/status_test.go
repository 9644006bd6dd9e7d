// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/status"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// remote is a manager to ask, with a certificate of its own.
type remote struct {
	*httptest.Server
	ca     string // file
	status manager.Status

	mu sync.Mutex
	// refuse answers instead, when it is set.
	refuse http.HandlerFunc
	// token is the authorization of the last request.
	token string
}

func (r *remote) answer(with http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = with
}

// sent is the authorization of the last request, once.
func (r *remote) sent() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.token
	r.token = ""
	return was
}

// newRemote runs on a file of that content and on flags.
func newRemote(t *testing.T, name, content string, flags map[string]string) *remote {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	in := input(name, config.Content{Data: []byte(content)})
	in.Flags = flags
	l, err := config.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 9, 30, 12, 0, time.UTC)
	r := &remote{status: manager.Status{Generation: 3, Hash: l.Hash, Applied: now.Add(-time.Hour), Leading: true, Config: l,
		Controllers: []manager.ControllerStatus{{Name: "deployment-controller", State: controller.Running, Since: now.Add(-time.Hour), Workers: 5, Run: 1,
			Load: metrics.Load{Depth: 2, PerMinute: 12.4, Syncs: 900}}, {Name: "namespace-controller", State: controller.Off, Reason: "disabled in its section", Since: now.Add(-time.Minute)}}}}
	handler := status.Source{
		Status:     func() manager.Status { return r.status },
		Leadership: func() status.Leadership { return status.Leadership{Elect: true, Holder: "here_1"} },
		Process:    status.Process{Version: "v1.37.2", Identity: "here_1", Host: "here", Started: now.Add(-2 * time.Hour)},
		File:       name, Flags: flags, Now: func() time.Time { return now },
	}.Handler()
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.token = req.Header.Get("Authorization")
		refuse := r.refuse
		r.mu.Unlock()
		if refuse != nil {
			refuse(w, req)
			return
		}
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(r.Close)
	r.ca = file(t, t.TempDir(), "ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})))
	return r
}

func TestStatusCommand(t *testing.T) {
	r := newRemote(t, "kcm.yaml", quiet, nil)
	out, errs, code := command("", "status", "--server", r.URL, "--ca-file", r.ca)
	if code != 0 || errs != "" {
		t.Errorf("exit %d, %s", code, errs)
	}
	testkit.Golden(t, "testdata/status.text", out)
	for _, format := range []string{"json", "yaml"} {
		out, _, _ := command("", "status", "--server", r.URL, "--ca-file", r.ca, "-o", format)
		var d status.Document
		if err := yaml.UnmarshalStrict([]byte(out), &d); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if d.Kind != status.Kind || len(d.Controllers) != 2 || d.Configuration.Generation != 3 {
			t.Errorf("%s: %+v", format, d)
		}
	}
	r.status.Rejected = "kcm.yaml:3:1: logging: unknown field"
	out, _, code = command("", "status", "--server", r.URL, "--insecure-skip-tls-verify")
	if want := "\n*** REJECTED: kcm.yaml:3:1: logging: unknown field\n"; code != 2 || !strings.Contains(out, want) {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func TestStatusUsesCredentials(t *testing.T) {
	r := newRemote(t, "kcm.yaml", quiet, nil)
	dir := t.TempDir()
	kubeconfig := file(t, dir, "kubeconfig", `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443", proxy-url: "http://192.0.2.1:3128", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: from-kubeconfig}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`)
	token := file(t, dir, "token", "from-file\n")
	for want, args := range map[string][]string{
		"Bearer from-kubeconfig": {"--kubeconfig", kubeconfig},
		"Bearer from-file":       {"--kubeconfig", kubeconfig, "--token-file", token},
		"":                       {},
	} {
		if _, errs, code := command("", append([]string{"status", "--server", r.URL, "--ca-file", r.ca}, args...)...); code != 0 {
			t.Errorf("%v: exit %d; %s", args, code, errs)
		}
		if sent := r.sent(); sent != want {
			t.Errorf("%v: sent %q, want %q", args, sent, want)
		}
	}
	// That the API server's certificate is not checked says nothing about the
	// manager's, and a token is not for everybody.
	if _, errs, code := command("", "status", "--server", r.URL, "--kubeconfig", kubeconfig); code != 1 || r.sent() != "" || !strings.Contains(errs, "of nobody that is trusted") {
		t.Errorf("exit %d: %s", code, errs)
	}
	plain := httptest.NewServer(r.Config.Handler)
	defer plain.Close()
	if _, errs, code := command("", "status", "--server", plain.URL, "--token-file", token); code != 0 || r.sent() != "" {
		t.Errorf("without TLS: exit %d: %s", code, errs)
	}
}

func TestStatusErrorsAreOneLine(t *testing.T) {
	r := newRemote(t, "kcm.yaml", quiet, nil)
	answer := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = fmt.Fprint(w, body) }
	}
	trusted := []string{"--server", r.URL, "--ca-file", r.ca}
	for _, tc := range []struct {
		args   []string
		answer http.HandlerFunc
		want   string
	}{
		{args: []string{"--server", "https://127.0.0.1:1"}, want: "https://127.0.0.1:1 is not reachable: dial tcp 127.0.0.1:1: connect: connection refused; --server says where the manager is"},
		{args: []string{"--server", "here"}, want: `--server "here" is not an address like https://127.0.0.1:10257`},
		{args: []string{"--server", r.URL}, want: "the certificate of " + r.URL + " is of nobody that is trusted; give its CA by --ca-file, or --insecure-skip-tls-verify"},
		{args: append(trusted, "--client-key", "k"), want: "--client-certificate and --client-key are given together"},
		{args: append(trusted, "--kubeconfig", "/none"), want: "credentials: stat /none: no such file or directory"},
		{args: append(trusted, "-o", "xml"), want: `output format "xml" is not one of table, json, yaml`},
		{args: trusted, answer: answer(403, `{"kind":"Status","message":"forbidden: User \"system:anonymous\" cannot get path \"/api/v1/status\""}`),
			want: r.URL + ` refuses: User "system:anonymous" cannot get path "/api/v1/status"; what is missing is the verb get on the nonResourceURL /api/v1/status`},
		{args: trusted, answer: answer(401, `{"message":"Unauthorized"}`), want: r.URL + " does not accept the credentials: Unauthorized"},
		{args: trusted, answer: answer(404, "404 page not found"), want: r.URL + " has no /api/v1/status: it is not this program, or an older version of it"},
		{args: trusted, answer: answer(302, "elsewhere"), want: r.URL + " answers 302 Found to /api/v1/status: elsewhere"},
		{args: trusted, answer: answer(200, "<html>"), want: r.URL + " does not answer as this program: invalid character '<' looking for beginning of value"},
	} {
		r.answer(tc.answer)
		out, errs, code := command("", append([]string{"status"}, tc.args...)...)
		if diff := cmp.Diff("Error: "+tc.want+"\n", errs); diff != "" || code != 1 || out != "" {
			t.Errorf("%v: exit %d, output %q (-want +got):\n%s", tc.args, code, out, diff)
		}
	}
}

// endsAfter ends a context when a text was written so many times.
type endsAfter struct {
	all  []byte
	text string
	left int
	end  context.CancelFunc
}

func (w *endsAfter) Write(p []byte) (int, error) {
	if w.left -= strings.Count(string(p), w.text); w.left <= 0 {
		w.end()
	}
	w.all = append(w.all, p...)
	return len(p), nil
}

func (w *endsAfter) String() string { return string(w.all) }

func TestStatusWatch(t *testing.T) {
	r := newRemote(t, "kcm.yaml", quiet, nil)
	c, err := (&running{server: r.URL, authority: r.ca}).connect()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &endsAfter{text: "NAME", left: 2, end: cancel}
	if err := c.watchStatus(ctx, out, os.Stderr, "table", nil); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "\n--- 2026-03-04T09:30:12Z\nkube-controller-manager"); n != 1 {
		t.Errorf("%d states are appended:\n%s", n, out.String())
	}

	// It goes on when the manager is away, and says so.
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	complaints := &endsAfter{text: "answers 503", left: 1, end: cancel}
	first := &endsAfter{text: "NAME", left: 1, end: func() {
		r.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	}}
	if err := c.watchStatus(ctx, first, complaints, "table", nil); err != nil || complaints.left > 0 {
		t.Errorf("%v; complaints: %s", err, complaints.String())
	}
	if err := c.watchStatus(t.Context(), first, complaints, "table", nil); err == nil {
		t.Error("a manager that was never there is no error")
	}
}

func TestPlanForARunningManager(t *testing.T) {
	dir := t.TempDir()
	before := head + "controllers: {baseline: None, deployment-controller: {enabled: true, workers: 5}}\nauthentication: {clientCAFile: ca.crt}\n"
	r := newRemote(t, "/etc/kcm/kcm.yaml", before, map[string]string{"concurrent-deployment-syncs": "7"})
	plan := func(content string, args ...string) (string, string, int) {
		name := file(t, dir, "next.yaml", content)
		return command("", append([]string{"plan", name, "--server", r.URL, "--ca-file", r.ca}, args...)...)
	}
	// The relative path is the same file there, whatever folder this one is in,
	// and the flag wins over both files.
	out, errs, code := plan(strings.Replace(before, "workers: 5", "workers: 9", 1))
	if out != "nothing changes\n" || code != 0 || !strings.Contains(errs, "next.yaml:3 sets a value that --concurrent-deployment-syncs=7 overrules") {
		t.Errorf("a masked value: exit %d\n%s%s", code, out, errs)
	}
	out, errs, code = plan(before + "logging: {verbosity: 4}\n")
	if want := "replace  logging: logging.verbosity 0 -> 4\nkeep     1 controllers\n"; out != want || code != 2 {
		t.Errorf("a change: exit %d\n%s%s", code, out, errs)
	}
	out, _, code = plan(before+"logging: {verbosity: 4}\n", "-o", "json")
	if code != 2 || !strings.HasPrefix(out, "{\n  \"changed\": true,") {
		t.Errorf("as JSON: exit %d\n%s", code, out)
	}
	_, errs, code = plan(head + "loging: {}\n")
	if code != 1 || !strings.Contains(errs, "next.yaml:3:1: error: loging") {
		t.Errorf("a mistake: exit %d\n%s", code, errs)
	}
	for _, tc := range []struct{ want, args string }{
		{"Error: use either --from FILE --to FILE, or FILE --server URL\n", "plan " + dir + "/next.yaml"},
		{"Error: use either --from FILE --to FILE, or FILE --server URL\n", "plan --from a --to b --server https://c"},
		{"Error: --server needs the file that the manager would be given: " + runningUse + "\n", "plan --server https://c"},
		{"Error: a and b: one file and one folder at most can be compared with a running manager\n", "plan a b --server https://c"},
	} {
		if _, errs, code := command("", strings.Fields(tc.args)...); code != 1 || errs != tc.want {
			t.Errorf("%s: exit %d, %s", tc.args, code, errs)
		}
	}
}
