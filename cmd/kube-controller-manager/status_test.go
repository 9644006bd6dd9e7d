// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/status"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// invoke runs a command of the program against a running one.
func (p *program) invoke(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], append(args, "--server=https://127.0.0.1:"+strconv.Itoa(p.port), "--insecure-skip-tls-verify")...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "KUBECONFIG=/nonexistent")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (p *program) document() (d status.Document) {
	p.t.Helper()
	code, body := p.get(status.Path, false)
	if code != 200 {
		p.t.Fatalf("%d %s", code, body)
	}
	do(p.t, json.Unmarshal([]byte(body), &d))
	return d
}

func TestWhatPeopleSee(t *testing.T) {
	base := lock(t)
	p := start(t, base+"controllers: {deployment-controller: {workers: 3}}\n", "--concurrent-rc-syncs=4")
	p.leading()
	p.await(`logger="deployment-controller" state="Running"`)
	kubeconfig := "--kubeconfig=" + shared.Plane(t).AdminKubeconfig
	standby := start(t, base+"controllers: {deployment-controller: {workers: 3}}\n")
	standby.await("Attempting to acquire leader lease")

	t.Run("only who may", func(t *testing.T) {
		for _, path := range []string{"/", status.Path, status.ConfigurationPath} {
			if code, body := p.get(path, true); code != 403 {
				t.Errorf("%s as nobody: %d %s", path, code, body)
			}
			if code, _ := p.get(path, false); code != 200 {
				t.Errorf("%s as administrator: %d", path, code)
			}
		}
		_, errs, code := p.invoke("status")
		if want := "what is missing is the verb get on the nonResourceURL /api/v1/status\n"; code != 1 || !strings.HasSuffix(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("exit %d: %s", code, errs)
		}
	})

	t.Run("work is counted", func(t *testing.T) {
		ns := namespace(t)
		_, err := admin(t).AppsV1().Deployments(ns).Create(t.Context(), deployment("web", "nginx", 2), metav1.CreateOptions{})
		do(t, err)
		complete(t, ns, "web")
		testkit.Eventually(t, timeout, func() error {
			for _, c := range p.document().Controllers {
				if c.Name == "deployment-controller" && c.Workers == 3 && c.Syncs > 0 && c.SyncsPerMinute > 0 && c.Run == 1 {
					return nil
				}
			}
			return fmt.Errorf("%+v", p.document().Controllers)
		})
	})

	t.Run("leader and standby", func(t *testing.T) {
		testkit.Eventually(t, timeout, func() error {
			a, b := p.document(), standby.document()
			if l := a.Leadership; !l.Leading || l.Holder != a.Process.Identity || !slices.ContainsFunc(l.Standbys, func(s status.Standby) bool { return s.Identity == b.Process.Identity && s.Verdict == "Applied" }) {
				return fmt.Errorf("the leader says %+v", l)
			}
			if l := b.Leadership; l.Leading || l.Holder != a.Process.Identity {
				return fmt.Errorf("the standby says %+v", l)
			}
			return nil
		})
	})

	t.Run("a plan for the running one is what happens", func(t *testing.T) {
		next := base + "controllers: {deployment-controller: {workers: 6}, namespace-controller: {enabled: false}}\n"
		file := filepath.Join(t.TempDir(), "next.yaml")
		do(t, os.WriteFile(file, []byte(next), 0o600))
		out, errs, code := p.invoke("plan", file, kubeconfig)
		if !strings.HasPrefix(out, "resize   deployment-controller: workers 3 -> 6\nstop     namespace-controller: disabled in its section\nkeep ") || code != 2 {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
		p.save(next)
		if out, errs, code = p.invoke("plan", file, kubeconfig); out != "nothing changes\n" || code != 0 {
			t.Errorf("after it: exit %d\n%s%s", code, out, errs)
		}
		testkit.Eventually(t, timeout, func() error {
			d := p.document()
			if d.Configuration.Generation != 2 || len(d.Diff) != 2 || d.Diff[0].Old != "3" || d.Diff[0].New != "6" || len(d.History) != 2 || len(d.History[0].Steps) != 2 {
				return fmt.Errorf("diff %v, history %+v", d.Diff, d.History)
			}
			return nil
		})
	})

	t.Run("a mistake is loud", func(t *testing.T) {
		do(t, os.WriteFile(p.file, []byte(base+"controllers: {deployment-controller: {wokers: 1}}\n"), 0o600))
		p.await("did you mean")
		out, errs, code := p.invoke("status", kubeconfig)
		if !strings.Contains(out, "\n*** REJECTED: ") || !strings.Contains(out, "generation 2") || code != 2 {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
		if _, page := p.get("/", false); !strings.Contains(page, "The newest configuration was rejected") {
			t.Errorf("the page does not say it:\n%s", page)
		}
	})

	t.Run("watching ends at Ctrl-C", func(t *testing.T) {
		cmd := exec.Command(os.Args[0], "status", "--watch", kubeconfig, "--server=https://127.0.0.1:"+strconv.Itoa(p.port), "--insecure-skip-tls-verify")
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, err := cmd.StdoutPipe()
		do(t, err)
		do(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "NAME") {
			continue // until the first state is there
		}
		do(t, cmd.Process.Signal(os.Interrupt))
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})

	t.Run("no secrets", func(t *testing.T) {
		key, err := os.ReadFile(shared.Plane(t).ManagerKubeconfig)
		do(t, err)
		var secret string
		for line := range strings.SplitSeq(string(key), "\n") {
			if _, data, ok := strings.Cut(line, "client-key-data: "); ok {
				secret = data[:40]
			}
		}
		for _, path := range []string{"/", status.Path, status.ConfigurationPath} {
			_, body := p.get(path, false)
			if secret != "" && strings.Contains(body, secret) || strings.Contains(body, "PRIVATE KEY") {
				t.Errorf("%s shows a key", path)
			}
		}
	})
}
