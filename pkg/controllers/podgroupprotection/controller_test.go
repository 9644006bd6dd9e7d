// SPDX-License-Identifier: Apache-2.0

package podgroupprotection

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared = testkit.Shared{Options: testkit.Options{
	FeatureGates:  map[string]bool{string(feature.GenericWorkload): true},
	RuntimeConfig: map[string]string{"scheduling.k8s.io/v1beta1": "true"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

func TestHeldAndReleased(t *testing.T) {
	group := func(deleted bool, finalizers ...string) *schedulingv1beta1.PodGroup {
		g := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Finalizers: finalizers}}
		if deleted {
			g.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
		}
		return g
	}
	for _, tc := range []struct {
		name  string
		group *schedulingv1beta1.PodGroup
		held  bool
		left  []string
	}{
		{"alive", group(false, finalizer), false, nil},
		{"deleted", group(true, finalizer), true, nil},
		{"held by others alone", group(true, "a", "b"), false, []string{"a", "b"}},
		{"held by others too", group(true, "a", finalizer, "b"), true, []string{"a", "b"}},
		{"held by nobody", group(true), false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := tc.group.DeepCopy()
			if got := held(tc.group); got != tc.held {
				t.Errorf("held %v, want %v", got, tc.held)
			}
			if diff := cmp.Diff(tc.left, released(tc.group).Finalizers); diff != "" {
				t.Errorf("finalizers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tc.group); diff != "" {
				t.Errorf("the cached object was changed:\n%s", diff)
			}
		})
	}
}

func TestLeavers(t *testing.T) {
	state := func(uid types.UID, phase corev1.PodPhase) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: uid}}
		p.Status.Phase = phase
		return p
	}
	runs, failed, succeeded, another := state("a", corev1.PodRunning), state("a", corev1.PodFailed), state("a", corev1.PodSucceeded), state("b", corev1.PodRunning)
	for _, tc := range []struct {
		name        string
		before, pod *corev1.Pod
		want        []*corev1.Pod
	}{
		{"new", nil, runs, nil},
		{"new and ended", nil, failed, []*corev1.Pod{failed}},
		{"runs on", runs, runs, nil},
		{"ends", runs, succeeded, []*corev1.Pod{succeeded}},
		{"created anew", runs, another, []*corev1.Pod{runs}},
		{"created anew, and ended", another, failed, []*corev1.Pod{failed, another}},
	} {
		if diff := cmp.Diff(tc.want, leavers(tc.before, tc.pod)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestGate(t *testing.T) {
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	c.PodGroupProtection.Enabled = new(true)
	if on, why := Descriptor().Enabled(&c, feature.Defaults()); on || why != "feature gate GenericWorkload is off" {
		t.Errorf("enabled %v: %s", on, why)
	}
	if on, why := Descriptor().Enabled(&c, feature.Defaults().With(feature.GenericWorkload, true)); !on {
		t.Error(why)
	}
}

// scene is a namespace with groups and pods. Nobody schedules these.
type scene struct{ *harness.Scene }

// group creates a PodGroup. The API server adds the finalizer.
func (s *scene) group(name string, finalizers ...string) {
	s.T.Helper()
	g := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers}}
	g.Spec.SchedulingPolicy.Basic = &schedulingv1beta1.BasicSchedulingPolicy{}
	_, err := s.Admin.SchedulingV1beta1().PodGroups(s.NS).Create(s.T.Context(), g, metav1.CreateOptions{})
	s.Must(err)
}

func (s *scene) deleteGroup(name string) {
	s.T.Helper()
	s.Must(s.Admin.SchedulingV1beta1().PodGroups(s.NS).Delete(s.T.Context(), name, metav1.DeleteOptions{}))
}

// pod creates a pod of a group in a namespace.
func (s *scene) pod(namespace, name, group string, phase corev1.PodPhase) {
	s.T.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Containers = []corev1.Container{{Name: "c", Image: "registry.example/c"}}
	p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &group}
	_, err := s.Admin.CoreV1().Pods(namespace).Create(s.T.Context(), p, metav1.CreateOptions{})
	s.Must(err)
	s.phase(namespace, name, phase)
}

func (s *scene) phase(namespace, name string, phase corev1.PodPhase) {
	s.T.Helper()
	_, err := s.Admin.CoreV1().Pods(namespace).Patch(s.T.Context(), name, types.MergePatchType,
		fmt.Appendf(nil, `{"status":{"phase":%q}}`, phase), metav1.PatchOptions{}, "status")
	s.Must(err)
}

func (s *scene) deletePod(name string) {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().Pods(s.NS).Delete(s.T.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
}

func (s *scene) get(group string) (*schedulingv1beta1.PodGroup, error) {
	return s.Admin.SchedulingV1beta1().PodGroups(s.NS).Get(s.T.Context(), group, metav1.GetOptions{})
}

func (s *scene) gone(group string) {
	s.T.Helper()
	s.Eventually(func() error {
		if _, err := s.get(group); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%s is there: %v", group, err)
		}
		return nil
	})
}

// kept checks that groups still have the finalizer, after the controller has
// handled all that happened before.
func (s *scene) kept(groups ...string) {
	s.T.Helper()
	s.group("last")
	s.deleteGroup("last")
	s.gone("last")
	for _, name := range groups {
		g, err := s.get(name)
		s.Must(err)
		if diff := cmp.Diff([]string{finalizer}, g.Finalizers); diff != "" {
			s.T.Errorf("%s: finalizers (-want +got):\n%s", name, diff)
		}
	}
}

func TestPodGroups(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Kit.Gates = h.Kit.Gates.With(feature.GenericWorkload, true)
	run := h.Start(Descriptor(), nil)
	for name, f := range map[string]func(*scene){
		"without pods":        withoutPods,
		"until the last pod":  untilTheLastPod,
		"pods that ended":     podsThatEnded,
		"another namespace":   anotherNamespace,
		"others' finalizers":  othersFinalizers,
		"a pod changes sides": podChangesSides,
	} {
		t.Run(name, func(t *testing.T) { f(&scene{h.Scene(t)}) })
	}
	t.Run("while nobody looks", func(t *testing.T) {
		s := &scene{h.Scene(t)}
		s.group("g")
		s.pod(s.NS, "p", "g", corev1.PodRunning)
		s.deleteGroup("g")
		s.kept("g")
		run.Stop()
		s.deletePod("p")
		h.Start(Descriptor(), nil)
		s.gone("g")
	})
	if n, _ := h.Metric("workqueue_retries_total", map[string]string{"name": "podgroupprotection"}); n != 0 {
		t.Errorf("%v retries", n)
	}
}

func withoutPods(s *scene) {
	s.group("wanted")
	s.group("unwanted")
	s.deleteGroup("unwanted")
	s.gone("unwanted")
	s.kept("wanted")
}

// untilTheLastPod has pods leave in each of the ways there are. Nothing happens to
// the group meanwhile.
func untilTheLastPod(s *scene) {
	for _, g := range []string{"deleted", "succeeded", "failed"} {
		s.group(g)
		s.pod(s.NS, g+"-a", g, corev1.PodPending)
		s.pod(s.NS, g+"-b", g, corev1.PodSucceeded)
		s.deleteGroup(g)
	}
	s.kept("deleted", "succeeded", "failed")
	s.deletePod("deleted-a")
	s.phase(s.NS, "succeeded-a", corev1.PodSucceeded)
	s.phase(s.NS, "failed-a", corev1.PodFailed)
	for _, g := range []string{"deleted", "succeeded", "failed"} {
		s.gone(g)
	}
}

func podsThatEnded(s *scene) {
	s.group("ended")
	s.group("alive")
	s.pod(s.NS, "a", "ended", corev1.PodSucceeded)
	s.pod(s.NS, "b", "ended", corev1.PodFailed)
	s.pod(s.NS, "c", "nobody", corev1.PodFailed)
	s.pod(s.NS, "d", "alive", corev1.PodFailed)
	s.deleteGroup("ended")
	s.gone("ended")
	s.kept("alive") // it was not deleted
}

func anotherNamespace(s *scene) {
	s.group("g")
	s.pod(s.Namespace(), "p", "g", corev1.PodRunning)
	s.deleteGroup("g")
	s.gone("g")
}

func othersFinalizers(s *scene) {
	s.group("g", "example.com/stay")
	s.deleteGroup("g")
	s.Eventually(func() error {
		g, err := s.get("g")
		s.Must(err)
		if diff := cmp.Diff([]string{"example.com/stay"}, g.Finalizers); diff != "" {
			return fmt.Errorf("finalizers (-want +got):\n%s", diff)
		}
		return nil
	})
	// Without its finalizer the group is not touched any more.
	before, err := s.get("g")
	s.Must(err)
	s.pod(s.NS, "p", "g", corev1.PodSucceeded)
	s.kept()
	after, err := s.get("g")
	s.Must(err)
	if before.ResourceVersion != after.ResourceVersion {
		s.T.Errorf("the group was written: %+v", after.ObjectMeta)
	}
}

func podChangesSides(s *scene) {
	s.group("one")
	s.group("two")
	s.pod(s.NS, "p", "one", corev1.PodRunning)
	s.deleteGroup("one")
	s.kept("one", "two")
	s.deletePod("p")
	s.pod(s.NS, "p", "two", corev1.PodRunning)
	s.deleteGroup("two")
	s.gone("one")
	s.kept("two")
	s.deletePod("p")
	s.gone("two")
}
