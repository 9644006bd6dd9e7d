// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// Stops and starts all through creation and rollout, on warm caches: every pod is
// made once for each revision, and nobody reads of a failure.
func TestRestarts(t *testing.T) {
	for _, policy := range []appsv1.PodManagementPolicyType{appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement} {
		t.Run(string(policy), func(t *testing.T) {
			h := harness.New(t, shared.Plane(t))
			s := newScene(t, h)
			s.play()
			seen, err := s.Admin.CoreV1().Pods(s.NS).Watch(s.Ctx, metav1.ListOptions{})
			s.Must(err)
			defer seen.Stop()
			s.create(object("web", 6, claims("Delete", "Delete"), func(set *appsv1.StatefulSet) { set.Spec.PodManagementPolicy = policy }))
			run := start(h)
			restart := func() {
				run.Stop()
				run = start(h)
			}
			for range 4 {
				restart()
			}
			s.complete("web", 6)
			s.change("web", image("v2"))
			for range 6 {
				restart()
			}
			s.complete("web", 6)
			made := map[types.UID]bool{}
			for len(made) < 12 {
				if e := <-seen.ResultChan(); e.Type == watch.Added {
					made[e.Object.(*corev1.Pod).UID] = true
				}
			}
			s.Must(s.Admin.AppsV1().StatefulSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{}))
			s.orphan("last", labelsOf("last"))
			for last := false; !last; {
				if e := <-seen.ResultChan(); e.Type == watch.Added {
					pod := e.Object.(*corev1.Pod)
					if last = pod.Name == "last"; !last {
						t.Errorf("%s was made once more", pod.Name)
					}
				}
			}
			for _, e := range s.events() {
				if strings.HasPrefix(e, "Warning") {
					t.Error(e)
				}
			}
		})
	}
}

// A new run looks at every set, and leaves alone what is as it should be.
func TestRestartOnSettledSets(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := start(h)
	s := newScene(t, h)
	s.up(object("web", 2, claims("Retain", "Delete")))
	versions := func() string {
		all := []string{s.get("web").ResourceVersion, s.claim("data-web-0").ResourceVersion, s.revisions("web")[0].ResourceVersion}
		for _, pod := range s.pods() {
			all = append(all, pod.Name+"="+pod.ResourceVersion)
		}
		return fmt.Sprint(len(all), all[:3], s.Pod("web-0").ResourceVersion, s.Pod("web-1").ResourceVersion)
	}
	before := versions()
	run.Stop()
	start(h)
	s.catchUp()
	if after := versions(); after != before {
		t.Errorf("versions %s became %s", before, after)
	}
}

// The writes of a set of two pods, from nothing to ready: a revision, two pods, and
// as little status as tells the story.
func TestFewWrites(t *testing.T) {
	s := started(t)
	changes, err := s.Admin.AppsV1().StatefulSets(s.NS).Watch(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	defer changes.Stop()
	s.up(object("web", 2))
	s.Must(s.Admin.AppsV1().StatefulSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{}))
	writes := 0
	for e := range changes.ResultChan() {
		if e.Type == watch.Deleted {
			break
		}
		if e.Type == watch.Modified {
			writes++
		}
	}
	if writes > 3 {
		t.Errorf("%d writes of the status", writes)
	}
}

func TestClosingNamespace(t *testing.T) {
	s := started(t)
	s.up(object("web", 1))
	s.Terminate()
	s.DeletePod("web-0")
	s.reports("web", numbers{})
	// No pod, and no event can be made there any more.
	if got := s.names(); got != "" {
		t.Errorf("pods %q", got)
	}
}
