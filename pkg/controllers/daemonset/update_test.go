// SPDX-License-Identifier: Apache-2.0

package daemonset_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// tally counts pods that are ready, by image.
func (s *scene) tally() (pods int, ready map[string]int) {
	ready = map[string]int{}
	list := s.Pods()
	for _, p := range list {
		if isReady(&p) {
			ready[p.Spec.Containers[0].Image]++
		}
	}
	return len(list), ready
}

func images(one, two int) map[string]int {
	m := map[string]int{"registry.example/c:1": one, "registry.example/c:2": two}
	for k, n := range m {
		if n == 0 {
			delete(m, k)
		}
	}
	return m
}

func (s *scene) tallies(pods int, ready map[string]int) {
	s.T.Helper()
	s.Eventually(func() error {
		n, got := s.tally()
		if diff := cmp.Diff(ready, got); diff != "" || n != pods {
			return fmt.Errorf("%d pods, want %d, ready (-want +got):\n%s", n, pods, diff)
		}
		return nil
	})
}

func TestRollingUpdate(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b", "c", "d", "e")
	s.create(s.set("web", limits("2", "0")))
	s.settles(nodes...)
	s.runs("web", 5)
	s.image("web", "2")
	for _, step := range []map[string]int{images(3, 0), images(1, 2), images(0, 4)} {
		s.tallies(5, step)
		s.run()
	}
	s.reports("web", all(5))
	var numbers []int64
	for _, r := range s.revisions() {
		numbers = append(numbers, r.Revision)
	}
	if diff := cmp.Diff([]int64{1, 2}, numbers); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func TestRollback(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b", "c")
	s.create(s.set("web"))
	before := map[string]bool{}
	for _, p := range s.settles(nodes...) {
		before[p.Name] = true
	}
	s.runs("web", 3)
	s.image("web", "2")
	s.tallies(3, images(2, 0))
	s.run()
	s.tallies(3, images(1, 1))
	s.image("web", "1")
	s.runs("web", 3)
	kept := 0
	for _, p := range s.Pods() {
		if before[p.Name] {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d pods were kept, want the one that was old still", kept)
	}
	numbers := map[string]int64{}
	for _, r := range s.revisions() {
		numbers[r.Name] = r.Revision
	}
	hash := s.Pods()[0].Labels[hashLabel]
	if len(numbers) != 2 || numbers["web-"+hash] != 3 {
		t.Errorf("revisions %v, current web-%s", numbers, hash)
	}
}

// The old pod stays until the new one is available, which time alone brings.
func TestSurge(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web", limits("0", "50%"), func(ds *appsv1.DaemonSet) { ds.Spec.MinReadySeconds = 2 }))
	s.settles(nodes...)
	s.run()
	s.reports("web", counts{2, 2, 2, 0, 2, 0})
	s.reports("web", all(2)) // without another event
	s.image("web", "2")
	s.tallies(3, images(2, 0))
	s.run()
	s.tallies(3, images(2, 1))
	ready := time.Now()
	// What waits for the time must not be forgotten at a restart.
	run.Stop()
	h.Start(daemonset.Descriptor(), nil)
	s.tallies(3, images(1, 1)) // the second surge has begun
	if took := time.Since(ready); took < 900*time.Millisecond {
		t.Errorf("the old pod went after %s", took)
	}
	s.runs("web", 2)
}

func TestSurgeReplacesPodsThatServeNobody(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web", limits("0", "1")))
	old := s.settles(a)[0]
	s.bind(&old)
	s.image("web", "2")
	s.Eventually(func() error {
		pods := s.Pods()
		if len(pods) != 1 || pods[0].Name == old.Name {
			return fmt.Errorf("%d pods", len(pods))
		}
		return nil
	})
}

func TestOnDelete(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	nodes := s.nodes("a", "b")
	s.create(s.set("web", func(ds *appsv1.DaemonSet) {
		ds.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	}))
	before := s.settles(nodes...)
	s.runs("web", 2)
	s.image("web", "2")
	s.reports("web", counts{2, 2, 2, 2, 0, 0})
	s.DeletePod(before[0].Name)
	s.reports("web", counts{2, 2, 1, 1, 1, 0})
	after := s.settles(nodes...)
	if after[1].Name != before[1].Name || after[0].Spec.Containers[0].Image != "registry.example/c:2" {
		t.Errorf("pods %s and %s became %s and %s", before[0].Name, before[1].Name, after[0].Name, after[1].Name)
	}
}

// A pod that fails again and again is replaced ever more slowly.
func TestFailedPods(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web"))
	s.reports("web", counts{1, 1, 0, 0, 1, 0})
	replaced := func(phase corev1.PodPhase) (string, time.Time) {
		var p corev1.Pod
		p = s.settles(a)[0]
		s.bind(&p)
		s.setStatus(p.Name, corev1.PodStatus{Phase: phase})
		s.Eventually(func() error {
			for _, q := range s.Pods() {
				if q.Name != p.Name {
					return nil
				}
			}
			return errors.New("not replaced")
		})
		return p.Name, time.Now()
	}
	name, last := replaced(corev1.PodFailed)
	s.event("FailedDaemonPod", fmt.Sprintf("Found failed daemon pod %s/%s on node %s, will try to kill it", s.NS, name, a))
	for _, wait := range []time.Duration{time.Second, 2 * time.Second} {
		_, now := replaced(corev1.PodFailed)
		// The wait began a moment before the pod was gone.
		if took := now.Sub(last); took < wait-300*time.Millisecond {
			t.Errorf("replaced after %s, want %s", took, wait)
		}
		last = now
	}
	// Success is no failure: the next pod comes at once.
	name, now := replaced(corev1.PodSucceeded)
	if took := now.Sub(last); took > 2*time.Second {
		t.Errorf("a pod that succeeded was replaced after %s", took)
	}
	s.event("SucceededDaemonPod", fmt.Sprintf("Found succeeded daemon pod %s/%s on node %s, will try to delete it", s.NS, name, a))
}

func TestHeldPods(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(daemonset.Descriptor(), nil)
	s := newScene(t, h)
	a := s.node("a")
	s.create(s.set("web", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Finalizers = []string{hold} }))
	p := s.settles(a)[0]
	s.bind(&p)
	s.DeletePod(p.Name)
	s.reports("web", counts{1, 1, 0, 0, 1, 0})
	s.catchUp()
	if n := len(s.Pods()); n != 1 {
		t.Errorf("%d pods: the old one may still run", n)
	}
	s.setStatus(p.Name, corev1.PodStatus{Phase: corev1.PodSucceeded})
	s.Eventually(func() error {
		if n := len(s.Pods()); n != 2 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
}
