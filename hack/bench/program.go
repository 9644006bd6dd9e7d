// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// program is a controller manager that can be started.
type program struct {
	path string
	args []string
}

// process is one that was.
type process struct {
	cmd   *exec.Cmd
	port  int
	lines chan string
}

const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"

func (b *bench) own() program {
	return program{path: filepath.Join(b.root, "bin", "kube-controller-manager"), args: append(b.arguments(), "--config="+b.config(), "--v=2")}
}

func (b *bench) peer() program {
	return program{path: b.plane.Binaries.ControllerManager, args: append(b.arguments(), "--controllers=*")}
}

func (b *bench) arguments() []string {
	k := b.plane.ManagerKubeconfig
	return []string{"--kubeconfig=" + k, "--authentication-kubeconfig=" + k, "--authorization-kubeconfig=" + k,
		"--bind-address=127.0.0.1", "--use-service-account-credentials=true", "--root-ca-file=" + b.plane.CAFile,
		"--service-account-private-key-file=" + b.plane.ServiceAccountKeyFile,
		"--cluster-signing-cert-file=" + b.plane.CAFile, "--cluster-signing-key-file=" + b.plane.CAKeyFile,
		"--leader-elect=false", "--kube-api-qps=1000", "--kube-api-burst=2000"}
}

func (b *bench) config() string { return filepath.Join(b.dir, "config.yaml") }

// start runs a program until it answers /healthz.
func (b *bench) start(p program) (*process, error) {
	if err := os.WriteFile(b.config(), []byte(head), 0o600); err != nil {
		return nil, err
	}
	port, err := testkit.FreePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.path, append(slices.Clip(p.args), "--secure-port="+strconv.Itoa(port))...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pr := &process{cmd: cmd, port: port, lines: make(chan string, 10000)}
	go func() {
		defer close(pr.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			select {
			case pr.lines <- s.Text():
			default: // nobody reads just now
			}
		}
	}()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // a self-signed certificate on loopback
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/healthz", port))
		if err == nil {
			resp.Body.Close()
			return pr, nil
		}
	}
	pr.stop()
	return nil, errors.New(p.path + " does not become healthy")
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// memory runs both programs, one after the other, and reads their RSS after the
// same wait.
func (b *bench) memory(own, peer program) (ownRSS, peerRSS int64, err error) {
	for _, p := range []struct {
		program
		rss *int64
	}{{own, &ownRSS}, {peer, &peerRSS}} {
		pr, err := b.start(p.program)
		if err != nil {
			return 0, 0, err
		}
		select {
		case <-time.After(b.settle):
		case <-b.ctx.Done():
		}
		*p.rss, err = pr.memory("VmRSS")
		pr.stop()
		if err != nil || b.ctx.Err() != nil {
			return 0, 0, errors.Join(err, b.ctx.Err())
		}
	}
	return ownRSS, peerRSS, nil
}
