// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const (
	// asProgram makes the test's own executable behave as the program.
	asProgram = "KUBE_CONTROLLER_MANAGER_TEST_AS_PROGRAM"
	timeout   = time.Minute
	head      = `apiVersion: kubecontrollermanager.config.k8s.io/v1beta1
kind: KubeControllerManagerConfiguration
clientConnection: {qps: 500, burst: 1000, useServiceAccountCredentials: true}
leaderElection: {leaseDuration: 4s, renewDeadline: 3s, retryPeriod: 500ms}
logging: {verbosity: 2}
`
)

var shared = testkit.Shared{Options: testkit.Options{Nodes: 3}}

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(shared.Main(m))
}

// program is a running manager on a file of its own.
type program struct {
	t *testing.T
	// plane is the one it works on; nil: the shared one.
	plane *testkit.Plane
	file  string
	port  int
	cmd   *exec.Cmd
	done  chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func admin(t *testing.T) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(shared.Plane(t).AdminConfig())
	do(t, err)
	return c
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lock is a part of a file that gives a test a lease of its own, so that tests
// do not wait for each other.
func lock(t *testing.T) string {
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	return strings.Replace(head, "leaderElection: {", "leaderElection: {resourceName: "+name+", ", 1)
}

// start runs the program on a file with that content, until the test's end.
func start(t *testing.T, content string, args ...string) *program {
	t.Helper()
	p := &program{t: t, file: filepath.Join(t.TempDir(), "config.yaml"), port: freePort(t)}
	do(t, os.WriteFile(p.file, []byte(content), 0o600))
	p.run(args...)
	return p
}

func (p *program) cluster() *testkit.Plane {
	if p.plane != nil {
		return p.plane
	}
	return shared.Plane(p.t)
}

func (p *program) run(args ...string) {
	p.t.Helper()
	plane := p.cluster()
	k := plane.ManagerKubeconfig
	p.cmd = exec.Command(os.Args[0], append([]string{"--config=" + p.file, "--kubeconfig=" + k, "--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(p.port), "--root-ca-file=" + plane.CAFile, "--client-ca-file=" + plane.CAFile}, args...)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p
	do(p.t, p.cmd.Start())
	p.done = make(chan struct{})
	cmd, done := p.cmd, p.done
	go func() { _ = cmd.Wait(); close(done) }()
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		if p.t.Failed() {
			p.t.Logf("the program's log:\n%s", p.logged())
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	do(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// signal sends a signal and waits for the end.
func (p *program) signal(s os.Signal) {
	p.t.Helper()
	do(p.t, p.cmd.Process.Signal(s))
	select {
	case <-p.done:
	case <-time.After(timeout):
		p.t.Fatalf("did not end after %s", s)
	}
}

// await waits until the log contains the text.
func (p *program) await(text string) {
	p.t.Helper()
	testkit.Eventually(p.t, timeout, func() error {
		if !strings.Contains(p.logged(), text) {
			return fmt.Errorf("not logged: %s", text)
		}
		return nil
	})
}

func (p *program) leading() { p.t.Helper(); p.await("Successfully acquired lease") }

// save replaces the file as editors do, and waits until it is applied.
func (p *program) save(content string) {
	p.t.Helper()
	do(p.t, os.WriteFile(p.file+".new", []byte(content), 0o600))
	do(p.t, os.Rename(p.file+".new", p.file))
	p.applied(content)
}

func (p *program) applied(content string) {
	p.t.Helper()
	sum := sha256.Sum256([]byte(content))
	p.await(`"Configuration applied" config="` + hex.EncodeToString(sum[:])[:16])
}

// get reads a page with the administrator's certificate, or as nobody.
func (p *program) get(path string, anonymous bool) (int, string) {
	p.t.Helper()
	client := insecure()
	if !anonymous {
		p.identify(client)
	}
	return p.ask(client, http.MethodGet, path, "")
}

// put sends to a page with the administrator's certificate.
func (p *program) put(path, body string) (int, string) {
	p.t.Helper()
	client := insecure()
	p.identify(client)
	return p.ask(client, http.MethodPut, path, body)
}

// insecure is a client that believes every server, and is nobody.
func insecure() *http.Client {
	cfg := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is self-signed
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
}

func (p *program) identify(client *http.Client) {
	p.t.Helper()
	a := p.cluster().AdminConfig()
	pair, err := tls.X509KeyPair(a.CertData, a.KeyData)
	do(p.t, err)
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
}

func (p *program) ask(client *http.Client, method, path, content string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, fmt.Sprintf("https://127.0.0.1:%d%s", p.port, path), strings.NewReader(content))
	do(p.t, err)
	resp, err := client.Do(req)
	do(p.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	do(p.t, err)
	return resp.StatusCode, string(body)
}

func namespace(t *testing.T) string {
	t.Helper()
	ns, err := admin(t).CoreV1().Namespaces().Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	do(t, err)
	return ns.Name
}
