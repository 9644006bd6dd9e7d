// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// survivor scales a set of two or more pods down to one, which it returns.
func (s *scene) survivor(name string) string {
	s.T.Helper()
	s.scale(name, 1)
	s.reports(name, counts(1, 1, 1, 1, 0))
	left := s.PodsOf(s.get(name))
	if len(left) != 1 {
		s.T.Fatalf("%d pods are left", len(left))
	}
	return left[0].Name
}

// costly creates a set of two running pods: the first with much of a cost and
// many restarts, the second with little and none.
func (s *scene) costly(costs ...string) (first, second string) {
	s.T.Helper()
	s.create(set("web", 2))
	pods := s.settles("web", 2)
	since := time.Now().Add(-time.Hour)
	for i, restarts := range []int32{5, 0} {
		status := harness.ReadySince(since)
		status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", RestartCount: restarts}}
		s.BindPod(pods[i].Name, "node-0")
		s.AnnotatePod(pods[i].Name, corev1.PodDeletionCost, costs[i])
		s.SetPodStatus(pods[i].Name, status) // last, so that a ready pod is complete
	}
	s.reports("web", counts(2, 2, 2, 2, 0))
	return pods[0].Name, pods[1].Name
}

func TestDeletionCost(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(replicaset.Descriptor(), nil)

	t.Run("the cheaper goes", func(t *testing.T) {
		s := newScene(t, h)
		costly, _ := s.costly("1000", "100")
		if got := s.survivor("web"); got != costly {
			t.Error("the pod that costs 1000 was deleted")
		}
		if n, found := h.Metric("replicaset_controller_sorting_deletion_age_ratio", nil); !found || n != 1 {
			t.Errorf("%v ratios were observed", n)
		}
	})
	t.Run("at equal costs the restarted one goes", func(t *testing.T) {
		s := newScene(t, h)
		restarted, _ := s.costly("10", "10")
		if got := s.survivor("web"); got == restarted {
			t.Error("the pod without restarts was deleted")
		}
	})
	run.Stop()
	h.Kit.Gates = h.Kit.Gates.With(feature.PodDeletionCost, false)
	h.Start(replicaset.Descriptor(), nil)
	t.Run("without the gate costs do not count", func(t *testing.T) {
		s := newScene(t, h)
		restarted, _ := s.costly("1000", "100")
		if got := s.survivor("web"); got == restarted {
			t.Error("the pod without restarts was deleted")
		}
	})
}

// Two revisions of one Deployment; a pod of the new one shares its node with
// the pods of the old one.
func TestCrowdedNodes(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	tests := []struct {
		name       string
		deployment []metav1.OwnerReference
	}{
		{"of a Deployment", []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "d", UID: "d-uid", Controller: ptr.To(true)}}},
		{"on its own", nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, h)
			revision := func(name string) *appsv1.ReplicaSet {
				rs := set(name, 2)
				rs.OwnerReferences = tc.deployment
				rs.Spec.Selector.MatchLabels["pod-template-hash"] = name
				rs.Spec.Template.Labels["pod-template-hash"] = name
				s.create(rs)
				return rs
			}
			since := time.Now().Add(-time.Hour)
			revision("old")
			for _, p := range s.settles("old", 2) {
				s.BindPod(p.Name, "crowded")
				s.SetPodStatus(p.Name, harness.ReadySince(since))
			}
			revision("new")
			pods := s.settles("new", 2)
			// By restarts alone the lonely one would go.
			for i, node := range []string{"crowded", "lonely"} {
				status := harness.ReadySince(since)
				status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", RestartCount: int32(i)}}
				s.BindPod(pods[i].Name, node)
				s.SetPodStatus(pods[i].Name, status)
			}
			s.reports("new", counts(2, 2, 2, 2, 0))
			want := pods[1].Name
			if tc.deployment == nil {
				want = pods[0].Name
			}
			if got := s.survivor("new"); got != want {
				t.Errorf("%s is left of %v", got, harness.PodNames(pods))
			}
		})
	}
}

func TestDeletionOrder(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	s.create(set("web", 4))
	pods := s.settles("web", 4)
	// pods[0] stays unscheduled, pods[1] pending on a node, pods[2] not ready.
	for _, p := range pods[1:] {
		s.BindPod(p.Name, "node-0")
	}
	s.SetPodStatus(pods[2].Name, corev1.PodStatus{Phase: corev1.PodRunning})
	s.SetPodStatus(pods[3].Name, harness.ReadySince(time.Now().Add(-time.Hour)))
	s.reports("web", counts(4, 4, 1, 1, 0))
	for n := 3; n >= 1; n-- {
		s.scale("web", int32(n))
		s.reports("web", counts(int32(n), int32(n), 1, 1, 0))
		if got := harness.PodNames(s.PodsOf(s.get("web"))); !slices.Equal(got, harness.PodNames(pods[4-n:])) {
			t.Errorf("%v are left of %v", got, harness.PodNames(pods))
		}
	}
}
