// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// status waits for the program's end and returns its exit status.
func (p *program) status() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(timeout):
		p.t.Fatal("did not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// forget drops what was logged, so that the next run is looked at alone.
func (p *program) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.Reset()
}

func TestRestartOnABrokenFile(t *testing.T) {
	base := lock(t)
	kept := filepath.Join(t.TempDir(), "last-good.yaml")
	p := start(t, base+"reload: {probation: 0s}\n", "--last-good-file="+kept)
	p.leading()
	good := base + "reload: {probation: 0s}\ncontrollers: {namespace-controller: {workers: 3}}\n"
	p.save(good)
	testkit.Eventually(t, timeout, func() error {
		data, err := os.ReadFile(kept)
		if err == nil && !strings.Contains(string(data), good) {
			err = os.ErrNotExist
		}
		return err
	})
	info, err := os.Stat(kept)
	do(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the last good file has mode %v", info.Mode())
	}
	p.signal(syscall.SIGKILL)

	broken := base + "controllers: {namespace-controller: {workers: 0}}\n"
	do(t, os.WriteFile(p.file, []byte(broken), 0o600))
	p.forget()
	p.run("--last-good-file=" + kept)
	if code := p.status(); code != 1 || !strings.Contains(p.logged(), "must be at least 1") {
		t.Errorf("without the wish to fall back: status %d", code)
	}

	p.forget()
	p.run("--last-good-file="+kept, "--fallback-to-last-good")
	p.leading()
	p.await("Started on the last good configuration, because the present one is refused")
	_, page := p.get("/configz", false)
	if !strings.Contains(page, `"fallback":true`) || !strings.Contains(page, "must be at least 1") {
		t.Errorf("/configz does not tell: %.300s", page)
	}
	if _, m := p.get("/metrics", false); !strings.Contains(m, "kube_controller_manager_config_fallback 1\n") {
		t.Error("the metric does not tell")
	}
	p.save(base + "controllers: {namespace-controller: {workers: 4}}\n")
	if _, m := p.get("/metrics", false); !strings.Contains(m, "kube_controller_manager_config_fallback 0\n") {
		t.Error("the metric still tells")
	}
}

func TestEveryEndHasAReason(t *testing.T) {
	p := start(t, lock(t))
	p.leading()
	p.signal(syscall.SIGTERM)
	if code := p.status(); code != 0 || !strings.Contains(p.logged(), `"Ended" reason="stopped by terminated" status=0`) {
		t.Errorf("SIGTERM: status %d", code)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	defer taken.Close()
	q := start(t, lock(t), "--secure-port="+taken.Addr().String()[len("127.0.0.1:"):])
	if code := q.status(); code != 1 || !strings.Contains(q.logged(), `"Ended" reason="failed to create listener: failed to listen on 127.0.0.1:`) {
		t.Errorf("port in use: status %d", code)
	}
}

func TestServiceManagerIsNotified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	do(t, err)
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "200000")
	messages := make(chan string, 1000)
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				close(messages)
				return
			}
			messages <- string(buffer[:n])
		}
	}()
	expect := func(prefix string) string {
		t.Helper()
		for deadline := time.After(timeout); ; {
			select {
			case m := <-messages:
				if strings.HasPrefix(m, prefix) {
					return m
				}
			case <-deadline:
				t.Fatalf("no message %q", prefix)
			}
		}
	}
	base := lock(t)
	p := start(t, base)
	expect("READY=1\nSTATUS=Configuration ")
	expect("WATCHDOG=1")
	p.save(strings.Replace(base, "verbosity: 2", "verbosity: 3", 1))
	if m := expect("RELOADING=1\nMONOTONIC_USEC="); strings.ContainsAny(strings.TrimPrefix(m, "RELOADING=1\nMONOTONIC_USEC="), ".hms") {
		t.Errorf("%q", m)
	}
	expect("READY=1\nSTATUS=Configuration ")
	do(t, p.cmd.Process.Signal(syscall.SIGTERM))
	expect("STOPPING=1")
	if code := p.status(); code != 0 {
		t.Errorf("status %d", code)
	}
}
