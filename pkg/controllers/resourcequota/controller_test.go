// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func (w *world) change(name, body string) {
	w.t.Helper()
	_, err := w.Admin.CoreV1().ResourceQuotas(w.ns).Patch(context.Background(), name, types.JSONPatchType, []byte(body), metav1.PatchOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
}

// The limits in force follow those that are wanted, and what is used follows the
// names.
func TestChangedLimits(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	w.pod("p", "cpu=1", "")
	w.limit("q", "pods=1 unknown.example.com/x=1")
	w.eventually("q", "pods=1")
	w.change("q", `[{"op":"add","path":"/spec/hard/cpu","value":"5"}]`)
	w.eventually("q", "pods=1 cpu=1")
	w.change("q", `[{"op":"replace","path":"/spec/hard/cpu","value":"7"}]`)
	w.eventually("q", "pods=1 cpu=1")
	w.change("q", `[{"op":"remove","path":"/spec/hard/pods"}]`)
	w.eventually("q", "cpu=1")
}

// idle waits until nothing is left in a queue, and returns how often keys were
// added to it.
func (w *world) idle(queue string) (adds float64) {
	w.t.Helper()
	labels := map[string]string{"name": queue}
	testkit.Eventually(w.t, harness.Timeout, func() error {
		done, found := w.Metric("workqueue_work_duration_seconds", labels)
		if adds, _ = w.Metric("workqueue_adds_total", labels); adds != done || !found {
			return fmt.Errorf("%v of %v keys of %s are done", done, adds, queue)
		}
		return nil
	})
	return adds
}

// A wrong number stays until everything is counted again.
func TestDrift(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWorld(t, h)
	run := h.Start(quick(), nil)
	w.limit("q", "pods=9 count/secrets=9")
	w.eventually("q", "pods=0 count/secrets=0")
	testkit.Eventually(t, harness.Timeout, func() error { // once the start is over
		w.pretend("q", "pods=5 count/secrets=7")
		w.settle()
		w.idle("resourcequota_primary")
		if used := w.quota("q").Status.Used["pods"]; used.Value() != 5 {
			return fmt.Errorf("%s pods are used", used.String())
		}
		return nil
	})
	run.Stop()
	h.Start(quick(), nil)
	w.eventually("q", "pods=0 count/secrets=0") // all are counted at the start
}

// What was created when a quota was written may have been overlooked. The look
// comes 2 s after the write, which a busy machine may miss: one of several quotas
// will do.
func TestSecondLook(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	w := newWorld(t, h)
	for try := range 8 {
		name := fmt.Sprint("q", try)
		w.limit(name, "count/secrets=9")
		w.eventually(name, "count/secrets=0")
		w.pretend(name, "count/secrets=7")
		err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 5*time.Second, true, func(context.Context) (bool, error) {
			return quota.Equal(w.quota(name).Status.Used, list("count/secrets=0")), nil
		})
		if err == nil {
			return
		}
	}
	t.Error("no quota was counted again soon after it was written")
}

// Everything is counted again in each period.
func TestRecount(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), often)
	w := newWorld(t, h)
	w.limit("q", "pods=9")
	w.eventually("q", "pods=0")
	for range 3 {
		w.pretend("q", "pods=5")
		w.eventually("q", "pods=0")
	}
	if w.puts() == 0 {
		t.Error("the status updates are not counted")
	}
	syncs := func() float64 {
		n, _ := h.Metric("workqueue_work_duration_seconds", map[string]string{"name": "resourcequota_primary"})
		return n
	}
	const enough = 30
	begun, sent := syncs(), w.puts()
	testkit.Eventually(t, harness.Timeout, func() error {
		if now := w.puts(); now != sent {
			begun, sent = syncs(), now
		}
		if n := syncs() - begun; n < enough {
			return fmt.Errorf("after %v syncs something was sent", n)
		}
		return nil
	})
}

// A pod whose node is lost is not charged when it should have ended long since.
func TestLostNode(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), often)
	w := newWorld(t, h)
	w.limit("q", "pods=9 count/pods=9 cpu=9")
	w.eventually("q", "pods=0 count/pods=0 cpu=0")
	w.pod("p", "cpu=1", "", func(p *corev1.Pod) { p.Spec.NodeName = "lost" })
	w.eventually("q", "pods=1 count/pods=1 cpu=1")
	if err := h.Admin.CoreV1().Pods(w.ns).Delete(context.Background(), "p", metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}); err != nil {
		t.Fatal(err)
	}
	w.eventually("q", "pods=0 count/pods=1 cpu=0")
	if _, err := h.Admin.CoreV1().Pods(w.ns).Get(context.Background(), "p", metav1.GetOptions{}); err != nil {
		t.Errorf("the pod: %v", err)
	}
}

// What happened while the controller was stopped is found out when it starts,
// whatever it was stopped in.
func TestBacklog(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWorld(t, h)
	w.limit("q", "pods=99 cpu=99")
	run := h.Start(quick(), nil)
	w.eventually("q", "pods=0 cpu=0")
	for round := range 3 {
		for i := range 5 {
			w.pod(fmt.Sprintf("p%d-%d", round, i), "cpu=1", "")
		}
		run.Stop()
		if _, found := h.Metric("workqueue_depth", map[string]string{"name": "resourcequota_primary"}); found {
			t.Error("a stopped controller still has metrics")
		}
		for _, s := range h.Kit.Pool.Stats() {
			if s.Leases > 0 {
				t.Errorf("a stopped controller has %d leases of %s", s.Leases, s.Key)
			}
		}
		for i := range 5 {
			w.deletePod(fmt.Sprintf("p%d-%d", round, i))
		}
		w.limit(fmt.Sprintf("new-%d", round), "pods=99")
		run = h.Start(quick(), nil)
		w.eventually("q", "pods=0 cpu=0")
		w.eventually(fmt.Sprintf("new-%d", round), "pods=0")
	}
}

// The worker count changes while the controller runs, and all three queues are
// used.
func TestQueues(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	w := newWorld(t, h)
	run := h.Start(quick(), nil)
	w.limit("q", "pods=9")
	w.eventually("q", "pods=0")
	for i, workers := range []int{1, 20, 5} {
		run.Resize(workers)
		name := fmt.Sprintf("p%d", i)
		w.pod(name, "", "")
		w.eventually("q", "pods=1")
		w.deletePod(name)
		w.eventually("q", "pods=0")
	}
	for _, queue := range []string{"resourcequota_primary", "resourcequota_priority", "resource_quota_controller_resource_changes"} {
		if w.idle(queue) == 0 {
			t.Errorf("nothing went through %s", queue)
		}
	}
}

// Of what is only counted, nothing but metadata is cached.
func TestMetadata(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(quick(), nil)
	newWorld(t, h).settle()
	seen := map[string]string{}
	for _, s := range h.Kit.Pool.Stats() {
		if s.Leases > 0 {
			seen[s.Resource.GroupResource().String()] = s.Variant
		}
	}
	for resource, variant := range map[string]string{
		"secrets": "metadata", "configmaps": "metadata", "leases.coordination.k8s.io": "metadata",
		"pods": "", "services": "", "resourceclaims.resource.k8s.io": "", "resourcequotas": "",
	} {
		if got, found := seen[resource]; !found || got != variant {
			t.Errorf("%s are cached (%v) as %q, want %q", resource, found, got, variant)
		}
	}
	for resource := range seen {
		if strings.HasPrefix(resource, "events") || resource == "nodes" {
			t.Errorf("%s are cached", resource)
		}
	}
}
