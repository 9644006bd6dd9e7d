// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

var shared = Shared{Options: Options{Nodes: 3}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

func TestStartIsQuickAndStopLeavesNothing(t *testing.T) {
	NoLeaks(t)
	since := time.Now()
	p := StartForTest(t, Options{Nodes: 5})
	took := time.Since(since)
	t.Logf("ready in %s", took)
	if took > 30*time.Second {
		t.Errorf("ready after %s", took)
	}
	pids := p.pids()
	if len(pids) != 4 {
		t.Errorf("components: %v", pids)
	}
	p.Stop()
	p.Stop() // a second time does nothing
	for name, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s (%d) still runs: %v", name, pid, err)
		}
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", p.Dir, err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("a wanted end counts as a crash: %v", err)
	}
}

func (p *Plane) pids() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	pids := map[string]int{}
	for name, proc := range p.procs {
		pids[name] = proc.pid()
	}
	return pids
}

func TestCrashClosesDone(t *testing.T) {
	t.Parallel()
	p := StartForTest(t, Options{})
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.pids()[Etcd], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("Done is still open")
	}
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "etcd ended unexpectedly") {
		t.Errorf("Err: %v", err)
	}
}

func TestStartReportsABadArgument(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{APIServerArgs: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("the error does not show the end of the log: %v", err)
	}
}

func TestFolderIsOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := StartForTest(t, Options{Dir: dir})
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil ||
		!strings.Contains(err.Error(), "another control plane uses") {
		t.Errorf("second plane in one folder: %v", err)
	}
	p.Stop()
	StartForTest(t, Options{Dir: dir})
}

func TestAPIServerRestart(t *testing.T) {
	t.Parallel()
	p := StartForTest(t, Options{})
	client := kubernetes.NewForConfigOrDie(p.AdminConfig())
	namespace := newNamespace(t, client)
	p.StopAPIServer()
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
		t.Error("the API server still answers")
	}
	if err := p.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("data after the restart: %v", err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("a restart counts as a crash: %v", err)
	}
}

func TestManagerIsBoundByRBAC(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", shared.Plane(t).ManagerKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	err = client.CoreV1().Pods("default").Delete(t.Context(), "any", metav1.DeleteOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("the manager's own identity may delete pods: %v", err)
	}
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "create", Resource: "serviceaccounts", Subresource: "token"},
	}}
	review, err = client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil || !review.Status.Allowed {
		t.Errorf("the manager may not ask for tokens: %v %v", review, err)
	}
}

func TestNodesAreReadyAndSpreadOverZones(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(shared.Plane(t).AdminConfig())
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	zones := map[string]bool{}
	for _, node := range nodes.Items {
		zones[node.Labels["topology.kubernetes.io/zone"]] = true
		if !nodeReady(&node) || len(node.Spec.Taints) > 0 {
			t.Errorf("%s: ready %v, taints %v", node.Name, nodeReady(&node), node.Spec.Taints)
		}
		if node.Status.Allocatable.Pods().Value() != 110 {
			t.Errorf("%s: %v pods", node.Name, node.Status.Allocatable.Pods())
		}
		_, err := client.CoordinationV1().Leases("kube-node-lease").Get(t.Context(), node.Name, metav1.GetOptions{})
		if err != nil {
			t.Error(err)
		}
	}
	if len(nodes.Items) != 3 || len(zones) != 3 {
		t.Errorf("%d nodes in zones %v", len(nodes.Items), zones)
	}
}

func TestMissingProgramsNameTheRemedy(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	_, err := FindBinaries(context.Background())
	if err == nil || !strings.Contains(err.Error(), "not inside a checkout") {
		t.Errorf("outside of the repository: %v", err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("KUBEBUILDER_ASSETS", dir)
	writeFile(t, "go.mod", "module "+modulePath+"\n")
	writeFile(t, "hack/tools/go.mod", "require (\n\tk8s.io/kubernetes v1.37.2\n\tgo.etcd.io/etcd/server/v3 v3.7.0 // indirect\n)\n")
	writeFile(t, "hack/tools/kwok/go.mod", "require sigs.k8s.io/kwok v0.8.0\n")
	_, err = FindBinaries(context.Background(), Etcd, Kwok)
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(fmt.Sprint(err), "etcd v3.7.0, kwok v0.8.0: run `make tools`") {
		t.Errorf("missing programs: %v", err)
	}
	writeFile(t, "etcd", "#!/bin/sh\necho etcd Version: 3.7.0\n")
	writeFile(t, "kwok", "#!/bin/sh\necho kwok version v0.7.0\n")
	b, err := FindBinaries(context.Background(), Etcd)
	if err != nil || b.Etcd != dir+"/etcd" || b.Kwok != "" {
		t.Errorf("programs from elsewhere: %+v, %v", b, err)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if i := strings.LastIndex(name, "/"); i > 0 {
		if err := os.MkdirAll(name[:i], 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
