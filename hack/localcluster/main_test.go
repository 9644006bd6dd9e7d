// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// output is what a cluster prints; it may be read while that goes on.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

func newCluster(t *testing.T) (*cluster, *output, chan os.Signal) {
	out, signals := &output{}, make(chan os.Signal, 4)
	exit := func(code int) { t.Errorf("exit(%d)", code) }
	return &cluster{out: out, signals: signals, exit: exit}, out, signals
}

func TestCommandGetsPathsAndItsExitCodeCounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, out, _ := newCluster(t)
	code := c.run([]string{"--nodes=0", "--dir=" + dir, "--",
		"sh", "-c", `{kubectl} --kubeconfig={admin} get namespaces > {dir}/got && test -f {manager} && exit 3`})
	if code != 3 || !strings.Contains(out.String(), "sh ended: exit status 3") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "got")); !strings.Contains(string(got), "kube-system") {
		t.Errorf("kubectl: %s %v", got, err)
	}
	for _, name := range []string{"admin.kubeconfig", "kube-controller-manager.kubeconfig", "pki/ca.crt", "pki/sa.key"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestSignalStopsTheCommandThenThePlane(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, out, signals := newCluster(t)
	hint := filepath.Join(t.TempDir(), "hint")
	if err := os.WriteFile(hint, []byte("hello {admin}"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int)
	go func() {
		ended <- c.run([]string{"--nodes=0", "--dir=" + dir, "--hint-file=" + hint, "--",
			"sh", "-c", `trap '{kubectl} --kubeconfig={admin} get --raw=/readyz > {dir}/end; exit 0' TERM; touch {dir}/up; while :; do sleep 0.1; done`})
	}()
	testkit.Eventually(t, time.Minute, func() error {
		_, err := os.Stat(filepath.Join(dir, "up"))
		return err
	})
	signals <- syscall.SIGINT
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "end")); string(got) != "ok" {
		t.Errorf("the plane ended before the command: %q\n%s", got, out)
	}
	if !strings.Contains(out.String(), "hello "+filepath.Join(dir, "admin.kubeconfig")) {
		t.Errorf("hint:\n%s", out)
	}
}
