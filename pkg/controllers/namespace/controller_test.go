// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const seconds = controller.RequeueAfter(time.Second)

func TestLimiter(t *testing.T) {
	l := limiter()
	first, last := l.When("ns"), time.Duration(0)
	for range 30 {
		last = l.When("ns")
	}
	if first != 5*time.Millisecond || last != time.Minute {
		t.Errorf("from %s to %s", first, last)
	}
}

func TestLooksFiveSecondsAfterTheDeletion(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	delayed := func() float64 {
		n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "namespace"})
		return n
	}
	before := delayed()
	f.delete(ns)
	testkit.Eventually(t, harness.Timeout, func() error {
		if delayed() == before {
			return errors.New("not queued with a delay")
		}
		return nil
	})
	f.clock.Step(4 * time.Second)
	if said := f.line.said("/" + ns); len(said) > 0 {
		t.Errorf("before the time: %v", said)
	}
	f.until(func() error { return f.gone(ns) })
}

func TestPodsGoFirst(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "needed")
	pod := f.pod(ns, "", "example.com/hold")
	f.delete(ns)
	f.synced(ns, 16*seconds)
	f.clock.Step(31 * time.Second)
	f.synced(ns, 8*seconds)
	if !f.hasConfigMap(ns, "needed") {
		t.Error("the config map went before the pod")
	}
	if writes := f.line.writes("/" + ns + "/configmaps"); len(writes) > 0 {
		t.Errorf("beside pods: %v", writes)
	}
	// The pod is not counted while it is waited for.
	f.conditions(ns, nil)

	written := f.line.said("PUT", ns+"/status")
	f.synced(ns, 8*seconds)
	if again := f.line.said("PUT", ns+"/status"); len(again) != len(written) {
		t.Errorf("conditions that say nothing new were written: %v", again)
	}
	f.unfinalize(ns, pod)
	f.synced(ns, nil)
	f.Must(f.gone(ns))
	if f.hasConfigMap(ns, "needed") {
		t.Error("the config map outlived its namespace")
	}
}

func TestGraceOfPods(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	pod := f.pod(ns, "no-such-node")
	f.delete(ns)
	f.synced(ns, 16*seconds)
	f.clock.Step(31 * time.Second)
	unexpected := "unexpected items still remain in namespace: " + ns + " for gvr: /v1, Resource=pods"
	if err, want := f.sync(ns), "failed to delete pods for namespace: "+ns+", err: "+unexpected; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		2: bad(2, "ContentDeletionFailed", "Failed to delete all resource types, 1 remaining: "+unexpected),
	})
	if writes := f.line.said("DELETE", "/"+ns+"/configmaps"); len(writes) > 0 {
		t.Errorf("beside pods: %v", writes)
	}
	// What the kubelet would do.
	f.Must(f.Admin.CoreV1().Pods(ns).Delete(t.Context(), pod, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
	f.synced(ns, nil)
	f.Must(f.gone(ns))
}

func TestConditionsTellWhatRemains(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	labels := map[string]string{"app": "test"}
	_, err := f.Admin.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"custom.io/finalizer"}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
			},
		},
	}, metav1.CreateOptions{})
	f.Must(err)
	f.pod(ns, "")
	f.delete(ns)
	f.synced(ns, 8*seconds)
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		3: bad(3, "SomeResourcesRemain", "Some resources are remaining: deployments.apps has 1 resource instances"),
		4: bad(4, "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: custom.io/finalizer in 1 resource instances"),
	})
	if writes := f.line.writes("/" + ns + "/secrets"); len(writes) > 0 {
		t.Errorf("there are none, but: %v", writes)
	}
	_, err = f.Admin.AppsV1().Deployments(ns).Patch(t.Context(), "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	f.Must(err)
	f.synced(ns, nil)
	f.Must(f.gone(ns))
	if conflicts := f.line.said("PUT", ns+"/finalize"); len(conflicts) != 1 {
		t.Errorf("finalized with %v", conflicts)
	}
}

func TestTotals(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	for i := range 5 {
		f.configMap(ns, fmt.Sprintf("held-%d", i), "b.example.com/hold")
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "held-", Finalizers: []string{"a.example.com/hold"}}}
		if i == 0 {
			secret.Finalizers = append(secret.Finalizers, "b.example.com/hold")
		}
		_, err := f.Admin.CoreV1().Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{})
		f.Must(err)
	}
	f.delete(ns)
	f.synced(ns, 8*seconds)
	f.conditions(ns, map[int]corev1.NamespaceCondition{
		3: bad(3, "SomeResourcesRemain", "Some resources are remaining: configmaps. has 5 resource instances, secrets. has 5 resource instances"),
		4: bad(4, "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: a.example.com/hold in 5 resource instances, b.example.com/hold in 6 resource instances"),
	})
}

func TestOtherFinalizersStay(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	ns, err := f.Admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "held-"},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"z.example.com/hold", "kubernetes", "a.example.com/hold"}},
	}, metav1.CreateOptions{})
	f.Must(err)
	f.configMap(ns.Name, "content")
	f.delete(ns.Name)
	f.synced(ns.Name, nil)
	if f.hasConfigMap(ns.Name, "content") {
		t.Error("the content is still there")
	}
	left, err := f.Admin.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
	f.Must(err)
	if diff := cmp.Diff([]corev1.FinalizerName{"a.example.com/hold", "z.example.com/hold"}, left.Spec.Finalizers); diff != "" {
		t.Errorf("finalizers (-want +got):\n%s", diff)
	}
	f.conditions(ns.Name, nil)

	t.Run("and nothing more is written", func(t *testing.T) {
		writes := f.line.writes("/" + ns.Name)
		f.synced(ns.Name, nil)
		if again := f.line.writes("/" + ns.Name); len(again) != len(writes) {
			t.Errorf("also %v", again[len(writes):])
		}
	})
	t.Run("but it is looked at every sync period", func(t *testing.T) {
		looks := func() int { return len(f.line.said("GET", "/namespaces/"+ns.Name)) }
		// Its own writes have it queued once more.
		last := looks()
		f.until(func() error {
			if looks() == last {
				return errors.New("not looked at")
			}
			return nil
		})
		last = looks()
		f.clock.Step(5 * time.Minute)
		f.until(func() error {
			if looks() == last {
				return errors.New("not looked at again")
			}
			return nil
		})
	})
	left.Spec.Finalizers = nil
	_, err = f.Admin.CoreV1().Namespaces().Finalize(ctx, left, metav1.UpdateOptions{})
	f.Must(err)
	f.Must(f.gone(ns.Name))
	f.synced(ns.Name, nil)
}

func TestNewNamespaceOfTheSameName(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	ns := f.Namespace()
	f.delete(ns)
	old, err := f.Admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
	f.Must(err)
	terminating := old.DeepCopy()
	old.Spec.Finalizers = nil
	_, err = f.Admin.CoreV1().Namespaces().Finalize(ctx, old, metav1.UpdateOptions{})
	f.Must(err)
	renewed := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	_, err = f.Admin.CoreV1().Namespaces().Create(ctx, renewed, metav1.CreateOptions{})
	f.Must(err)
	f.configMap(ns, "new")

	// The key of the old one is still in the queue; the next to be deleted comes
	// after it.
	next := f.Namespace()
	f.delete(next)
	f.until(func() error { return f.gone(next) })
	// And if the cache does not know yet, the live read does.
	behind := *f.c
	behind.namespaces = cacheOf(terminating)
	f.Must(behind.sync(f.c.Work(), ns))

	if !f.hasConfigMap(ns, "new") {
		t.Error("the new namespace's content was deleted")
	}
	if writes := f.line.writes("/" + ns); len(writes) > 0 {
		t.Errorf("writes: %v", writes)
	}
	if reads := f.line.said("/" + ns); len(reads) != 1 {
		t.Errorf("reads: %v, want that of a cache that is behind", reads)
	}
}

func TestActiveNamespaceIsLeftAlone(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "content")
	f.synced(ns, nil)
	other := f.Namespace()
	f.delete(other)
	f.until(func() error { return f.gone(other) })
	if said := f.line.said(ns); len(said) > 0 {
		t.Errorf("requests: %v", said)
	}
}

func TestManyNamespaces(t *testing.T) {
	f := start(t)
	var all []string
	for range 20 {
		ns := f.Namespace()
		f.pod(ns, "")
		f.Must(f.Admin.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}))
		all = append(all, ns)
	}
	f.until(func() error {
		for _, ns := range all {
			if err := f.gone(ns); err != nil {
				return err
			}
		}
		return nil
	})
	for _, ns := range all {
		if n := len(f.line.said("DELETE", "/"+ns+"/")); n > 12 {
			t.Errorf("%d deletions in a namespace that is almost empty", n)
		}
	}
	if n := f.line.count("GET /apis"); n == 0 || n > 2*len(all) {
		t.Errorf("%d discoveries", n)
	}
}

func TestStopAndStart(t *testing.T) {
	f := start(t)
	ns := f.Namespace()
	f.configMap(ns, "content")
	f.delete(ns)
	held, release := make(chan struct{}), make(chan struct{})
	f.line.during(t, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/"+ns+"/configmaps") {
			close(held)
			<-release
		}
		return next.RoundTrip(r)
	})
	f.until(func() error {
		select {
		case <-held:
			return nil
		default:
			return errors.New("no config map was deleted")
		}
	})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.run.Stop()
	}()
	testkit.Eventually(t, harness.Timeout, func() error {
		if s := f.run.State(); s != controller.Stopping {
			return fmt.Errorf("state %s", s)
		}
		return nil
	})
	close(release)
	<-stopped
	left, err := f.Admin.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
	f.Must(err)
	if len(left.Status.Conditions) > 0 {
		t.Errorf("the stop shows in the conditions: %+v", left.Status.Conditions)
	}
	if _, found := f.Metric("workqueue_depth", map[string]string{"name": "namespace"}); found {
		t.Error("a stopped controller still has metrics")
	}
	f.line.during(t, nil)
	f.Start(f.descriptor(), func(c *v1beta1.Controllers) { c.Namespace.Workers = 1 })
	f.until(func() error { return f.gone(ns) })
}
