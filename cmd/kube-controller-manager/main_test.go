// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func deployment(name, image string, replicas int32) *appsv1.Deployment {
	set := map[string]string{"app": name}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: set},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: set},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}},
	}}
}

// complete waits until a Deployment has rolled out.
func complete(t *testing.T, ns, name string) {
	t.Helper()
	testkit.Eventually(t, 2*timeout, func() error {
		d, err := admin(t).AppsV1().Deployments(ns).Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		s, want := d.Status, *d.Spec.Replicas
		if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != want || s.ReadyReplicas != want || s.Replicas != want {
			return fmt.Errorf("status %+v, want %d", s, want)
		}
		return nil
	})
}

// The path that everybody takes first: pods run, endpoints are filled, and what
// is deleted goes with all that belongs to it.
func TestWorkloadFromCreationToDeletion(t *testing.T) {
	p := start(t, lock(t))
	p.leading()
	ctx, ns := context.Background(), namespace(t)
	_, err := admin(t).AppsV1().Deployments(ns).Create(ctx, deployment("web", "nginx", 20), metav1.CreateOptions{})
	do(t, err)
	_, err = admin(t).CoreV1().Services(ns).Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}}, metav1.CreateOptions{})
	do(t, err)
	complete(t, ns, "web")
	testkit.Eventually(t, timeout, func() error {
		slices, err := admin(t).DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=web"})
		if err != nil {
			return err
		}
		ready := 0
		for _, s := range slices.Items {
			for _, e := range s.Endpoints {
				if *e.Conditions.Ready {
					ready++
				}
			}
		}
		if ready != 20 {
			return fmt.Errorf("%d ready endpoints", ready)
		}
		return nil
	})
	do(t, admin(t).AppsV1().Deployments(ns).Delete(ctx, "web", metav1.DeleteOptions{}))
	testkit.Eventually(t, timeout, func() error {
		sets, err := admin(t).AppsV1().ReplicaSets(ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		pods, err := admin(t).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if n := len(sets.Items) + len(pods.Items); n > 0 {
			return fmt.Errorf("%d ReplicaSets and pods are left", n)
		}
		return nil
	})
	_, err = admin(t).AppsV1().Deployments(ns).Create(ctx, deployment("again", "nginx", 3), metav1.CreateOptions{})
	do(t, err)
	complete(t, ns, "again")
	do(t, admin(t).CoreV1().Namespaces().Delete(ctx, ns, metav1.DeleteOptions{}))
	testkit.Eventually(t, 2*timeout, func() error {
		_, err := admin(t).CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the namespace is there: %v", err)
		}
		return nil
	})
}

func TestFileGovernsTheRunningProgram(t *testing.T) {
	base := lock(t)
	p := start(t, base)
	p.leading()
	ctx, ns := context.Background(), namespace(t)
	p.await(`logger="deployment-controller" state="Running"`)

	p.save(base + "controllers: {deployment-controller: {enabled: false}}\n")
	_, err := admin(t).AppsV1().Deployments(ns).Create(ctx, deployment("web", "nginx", 2), metav1.CreateOptions{})
	do(t, err)
	// The namespace works on: a ReplicaSet of somebody else gets its pods, which
	// takes longer than a Deployment's ReplicaSet would.
	other := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Spec: appsv1.ReplicaSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}},
		Template: deployment("other", "nginx", 1).Spec.Template}}
	_, err = admin(t).AppsV1().ReplicaSets(ns).Create(ctx, other, metav1.CreateOptions{})
	do(t, err)
	testkit.Eventually(t, timeout, func() error {
		rs, err := admin(t).AppsV1().ReplicaSets(ns).Get(ctx, "other", metav1.GetOptions{})
		if err == nil && rs.Status.ReadyReplicas != 1 {
			err = fmt.Errorf("%d pods are ready", rs.Status.ReadyReplicas)
		}
		return err
	})
	sets, err := admin(t).AppsV1().ReplicaSets(ns).List(ctx, metav1.ListOptions{})
	do(t, err)
	if len(sets.Items) != 1 {
		t.Errorf("%d ReplicaSets while the deployment-controller is off, want the other one only", len(sets.Items))
	}
	if _, body := p.get("/metrics", false); strings.Contains(body, `workqueue_depth{name="deployment"}`) {
		t.Error("a stopped controller has metrics")
	}

	p.save(base)
	complete(t, ns, "web")

	t.Run("mistakes change nothing", func(t *testing.T) {
		_, before := p.get("/configz", false)
		for content, want := range map[string]string{
			base + "controllers: {deployment-controller: {enabled: false}\n":                                                                "config.yaml:6:1: YAML syntax",
			base + "controllers:\n  deployment-controller: {enabeld: false}\n":                                                              `config.yaml:7:27: controllers.deployment-controller.enabeld: unknown field; did you mean`,
			base + "controllers: {deployment-controller: {workers: 0}}\n":                                                                   `must be at least 1`,
			base + "controllers: {root-ca-certificate-publisher-controller: {}}\nserving: {tlsCertFile: /none, tlsPrivateKeyFile: /none}\n": "/none",
		} {
			do(t, os.WriteFile(p.file+".new", []byte(content), 0o600))
			do(t, os.Rename(p.file+".new", p.file))
			p.await(want)
		}
		testkit.Eventually(t, timeout, func() error {
			code, body := p.get("/metrics", false)
			if failed := `kube_controller_manager_config_automatic_reloads_total{status="failure"} `; code != 200 || !strings.Contains(body, failed+"4") {
				_, body, _ = strings.Cut(body, failed)
				return fmt.Errorf("%d: %.2s failed reloads are counted, want 4", code, body)
			}
			return nil
		})
		_, after := p.get("/configz", false)
		if generation := `"generation":3`; !strings.Contains(before, generation) || !strings.Contains(after, generation) || !strings.Contains(after, `"rejected":`) {
			t.Errorf("/configz before: %s\nafter: %s", before, after)
		}
		p.save(base + "# fine again\n")
	})

	t.Run("only administrators see more than health", func(t *testing.T) {
		for path, want := range map[string]int{"/healthz": 200, "/livez": 200, "/readyz": 200, "/metrics": 403, "/configz": 403, "/debug/pprof/": 403} {
			if code, body := p.get(path, true); code != want {
				t.Errorf("%s as nobody: %d %s, want %d", path, code, body, want)
			}
		}
		if code, body := p.get("/healthz?verbose", true); code != 200 || !strings.Contains(body, "[+]leaderElection ok\n") || !strings.Contains(body, "[+]deployment-controller ok\n") {
			t.Errorf("%d %s", code, body)
		}
	})
}

func TestConfigMapVolumeSwap(t *testing.T) {
	base := lock(t)
	dir := t.TempDir()
	version := func(name, content string) {
		do(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		do(t, os.WriteFile(filepath.Join(dir, name, "config.yaml"), []byte(content), 0o600))
		do(t, os.Symlink(name, filepath.Join(dir, "..tmp")))
		do(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	version("..1", base)
	do(t, os.Symlink("..data/config.yaml", filepath.Join(dir, "config.yaml")))
	p := &program{t: t, file: filepath.Join(dir, "config.yaml"), port: freePort(t)}
	p.run()
	p.leading()
	second := base + "controllers: {namespace-controller: {enabled: false}}\n"
	version("..2", second)
	do(t, os.RemoveAll(filepath.Join(dir, "..1")))
	p.applied(second)
}

func holder(t *testing.T, lease string) string {
	t.Helper()
	l, err := admin(t).CoordinationV1().Leases("kube-system").Get(context.Background(), lease, metav1.GetOptions{})
	do(t, err)
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

func TestStandbyTakesOver(t *testing.T) {
	base := lock(t)
	first := start(t, base)
	first.leading()
	second := start(t, base)
	second.await("Attempting to acquire leader lease")
	if code, body := second.get("/readyz", true); code != 200 {
		t.Errorf("a standby is not ready: %s", body)
	}
	if strings.Contains(second.logged(), `state="Syncing"`) {
		t.Error("a standby runs controllers")
	}
	was := holder(t, "teststandbytakesover")
	first.signal(syscall.SIGTERM)
	if !strings.Contains(first.logged(), "Released lease") {
		t.Error("SIGTERM did not release the lease")
	}
	second.leading()
	if now := holder(t, "teststandbytakesover"); now == was || now == "" {
		t.Errorf("holder %q after %q", now, was)
	}
	second.await(`logger="deployment-controller" state="Running"`)

	third := start(t, base)
	third.await("Attempting to acquire leader lease")
	second.signal(syscall.SIGKILL)
	third.leading()
	third.signal(syscall.SIGTERM)
	if now := holder(t, "teststandbytakesover"); now != "" {
		t.Errorf("after the last SIGTERM the lease is held by %q", now)
	}
}

// overshoot is the highest number of replicas that all ReplicaSets of a namespace
// have been given at a time. Pods may be more for a moment: a new ReplicaSet does
// not wait for an old one to delete its own.
func overshoot(t *testing.T, ns string) *atomic.Int32 {
	t.Helper()
	w, err := admin(t).AppsV1().ReplicaSets(ns).Watch(context.Background(), metav1.ListOptions{})
	do(t, err)
	t.Cleanup(w.Stop)
	var most atomic.Int32
	go func() {
		sizes := map[string]int32{}
		for e := range w.ResultChan() {
			rs, ok := e.Object.(*appsv1.ReplicaSet)
			if !ok {
				continue
			}
			sizes[rs.Name] = *rs.Spec.Replicas
			if e.Type == watch.Deleted {
				delete(sizes, rs.Name)
			}
			var sum int32
			for _, n := range sizes {
				sum += n
			}
			most.Store(max(sum, most.Load()))
		}
	}()
	return &most
}

func TestKilledInTheMiddleOfARollout(t *testing.T) {
	base := lock(t)
	ctx, ns := context.Background(), namespace(t)
	p := start(t, base)
	p.leading()
	most := overshoot(t, ns)
	_, err := admin(t).AppsV1().Deployments(ns).Create(ctx, deployment("web", "nginx:1", 20), metav1.CreateOptions{})
	do(t, err)
	complete(t, ns, "web")
	for round, image := range []string{"nginx:2", "nginx:3", "nginx:4"} {
		patch := fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`, image)
		_, err := admin(t).AppsV1().Deployments(ns).Patch(ctx, "web", "application/json-patch+json", []byte(patch), metav1.PatchOptions{})
		do(t, err)
		want := int32(2 + 6*round) // another moment each time
		testkit.Eventually(t, timeout, func() error {
			d, err := admin(t).AppsV1().Deployments(ns).Get(ctx, "web", metav1.GetOptions{})
			if err == nil && (d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas < want) {
				err = fmt.Errorf("%d pods are updated", d.Status.UpdatedReplicas)
			}
			return err
		})
		p.signal(syscall.SIGKILL)
		p.run()
		complete(t, ns, "web")
	}
	if n := most.Load(); n > 25 {
		t.Errorf("%d replicas at a time, more than 20 and a surge of 25%%", n)
	}
	pods, err := admin(t).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	do(t, err)
	alive := 0
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			alive++
		}
	}
	if alive != 20 {
		t.Errorf("%d pods in the end, want 20", alive)
	}
}

// kubeadm's command line must start the program as it is.
func TestKubeadmCommandLine(t *testing.T) {
	plane := shared.Plane(t)
	p := start(t, lock(t), "--allocate-node-cidrs=true", "--authentication-kubeconfig="+plane.ManagerKubeconfig,
		"--authorization-kubeconfig="+plane.ManagerKubeconfig, "--bind-address=127.0.0.1", "--cluster-cidr=10.244.0.0/16",
		"--cluster-name=kubernetes", "--cluster-signing-cert-file=", "--cluster-signing-key-file=",
		"--controllers=*,bootstrapsigner,tokencleaner", "--leader-elect=true",
		"--requestheader-client-ca-file="+plane.FrontProxyCAFile, "--service-account-private-key-file="+plane.ServiceAccountKeyFile,
		"--service-cluster-ip-range=10.96.0.0/12", "--use-service-account-credentials=true")
	p.leading()
	p.await(`logger="namespace-controller" state="Running"`)
	if code, _ := p.get("/healthz", true); code != 200 {
		t.Errorf("/healthz answers %d", code)
	}
}
