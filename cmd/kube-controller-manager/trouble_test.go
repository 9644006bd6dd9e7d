// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const (
	// outage is long enough for every backoff to have grown.
	outage = time.Minute
	// recovery is how soon work must go on after it.
	recovery = 5 * time.Second
)

// startAlone runs the program on a plane of its own, which may be mistreated.
func startAlone(t *testing.T, args func(*testkit.Plane) []string) *program {
	t.Helper()
	plane, err := testkit.Start(context.Background(), testkit.Options{})
	do(t, err)
	t.Cleanup(plane.Stop)
	p := &program{t: t, plane: plane, file: filepath.Join(t.TempDir(), "config.yaml"), port: freePort(t)}
	do(t, os.WriteFile(p.file, []byte(head), 0o600))
	p.run(args(plane)...)
	return p
}

// serves makes a namespace and waits until it has what a controller gives it.
func (p *program) serves() time.Duration {
	p.t.Helper()
	api, err := kubernetes.NewForConfig(p.plane.AdminConfig())
	do(p.t, err)
	var ns *corev1.Namespace
	since := time.Now()
	testkit.Eventually(p.t, timeout, func() (err error) {
		ns, err = api.CoreV1().Namespaces().Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "trouble-"}}, metav1.CreateOptions{})
		return err
	})
	testkit.Eventually(p.t, 2*timeout, func() error {
		_, err := api.CoreV1().ConfigMaps(ns.Name).Get(context.Background(), "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
	return time.Since(since)
}

// survived says that the process is the one that was started.
func (p *program) survived() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Error("the process has ended")
	default:
	}
}

func TestSurvivesAnOutageWithCompaction(t *testing.T) {
	t.Parallel()
	p := startAlone(t, func(*testkit.Plane) []string { return nil })
	p.leading()
	p.serves()
	p.plane.StopAPIServer()
	<-time.After(outage)
	// What the caches have seen last is forgotten: they are told that it is too old.
	do(t, p.plane.Compact(context.Background()))
	do(t, p.plane.StartAPIServer(context.Background()))
	if took := p.serves(); took > recovery {
		t.Errorf("the first sync came %s after the API server", took)
	}
	p.survived()
	// A plain restart, with the lease still held.
	p.plane.StopAPIServer()
	do(t, p.plane.StartAPIServer(context.Background()))
	if took := p.serves(); took > recovery {
		t.Errorf("the first sync came %s after a restart", took)
	}
	p.survived()
}

func TestSurvivesAnExpiredCertificate(t *testing.T) {
	t.Parallel()
	var c *testkit.Credentials
	p := startAlone(t, func(plane *testkit.Plane) []string {
		var err error
		c, err = plane.NewCredentials(t.TempDir(), testkit.ControllerManager)
		do(t, err)
		do(t, c.Renew(time.Now().Add(20*time.Second)))
		return []string{"--kubeconfig=" + c.Kubeconfig}
	})
	p.leading()
	p.serves()
	p.await("leaderelection lost, stopping all controllers")
	do(t, c.Renew(time.Now().Add(time.Hour)))
	if took := p.serves(); took > recovery {
		t.Errorf("the first sync came %s after the renewal", took)
	}
	p.survived()
}
