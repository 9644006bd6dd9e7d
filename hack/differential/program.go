// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// Program is a controller manager that can be started again and again.
type Program struct {
	Path string
	Args []string
	Env  []string
	// Log takes its standard error.
	Log string

	cmd  *exec.Cmd
	done chan struct{}
	port int
}

// Flags are those that both programs get.
func Flags(p *testkit.Plane) []string {
	k := p.ManagerKubeconfig
	return []string{
		"--kubeconfig=" + k, "--authentication-kubeconfig=" + k, "--authorization-kubeconfig=" + k,
		"--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials=true",
		"--kube-api-qps=1000", "--kube-api-burst=2000", "--v=2",
		"--root-ca-file=" + p.CAFile, "--service-account-private-key-file=" + p.ServiceAccountKeyFile,
		"--cluster-signing-cert-file=" + p.CAFile, "--cluster-signing-key-file=" + p.CAKeyFile,
	}
}

// Start runs the program until it answers its health check.
func (p *Program) Start(ctx context.Context) error {
	var err error
	if p.port, err = testkit.FreePort(); err != nil {
		return err
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the child has its own descriptor
	cmd := exec.Command(p.Path, append(append([]string{}, p.Args...), "--secure-port="+strconv.Itoa(p.port))...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.done = cmd, make(chan struct{})
	done := p.done
	go func() { _ = cmd.Wait(); close(done) }()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // a self-signed certificate on loopback
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		select {
		case <-done:
			return false, fmt.Errorf("%s ended: %s", p.Path, cmd.ProcessState)
		default:
		}
		resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/healthz", p.port))
		if err != nil {
			return false, nil
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	if err != nil {
		p.Kill()
		return fmt.Errorf("%s does not become healthy: %w; see %s", p.Path, err, p.Log)
	}
	return nil
}

// Kill ends it at once, whatever it does.
func (p *Program) Kill() { p.end(syscall.SIGKILL) }

// Stop ends it in order.
func (p *Program) Stop() { p.end(syscall.SIGTERM) }

func (p *Program) end(signal syscall.Signal) {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(signal)
		<-p.done
	}
}

// Pid of the running program.
func (p *Program) Pid() int { return p.cmd.Process.Pid }
