// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestScale(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	rs := set("web", 2)
	rs.Spec.Template.Annotations = map[string]string{"note": "x"}
	created := s.create(rs)
	for _, p := range s.settles("web", 2) {
		if p.GenerateName != "web-" || p.Annotations["note"] != "x" || p.OwnerReferences[0].UID != created.UID {
			t.Errorf("pod %+v", p.ObjectMeta)
		}
	}
	for _, n := range []int32{3, 0, 1} {
		s.scale("web", n)
		s.settles("web", n)
		if got := len(s.Pods()); got != int(n) {
			t.Errorf("%d pods, want %d", got, n)
		}
	}
	s.Eventually(func() error {
		if made, gone := len(s.Events("reason=SuccessfulCreate")), len(s.Events("reason=SuccessfulDelete")); made != 4 || gone != 3 {
			return fmt.Errorf("events of %d creations and %d deletions, want 4 and 3", made, gone)
		}
		return nil
	})
	e := s.Events("reason=SuccessfulCreate")[0]
	if e.Source.Component != "replicaset-controller" || e.InvolvedObject.Kind != "ReplicaSet" || e.Type != corev1.EventTypeNormal {
		t.Errorf("event %+v", e)
	}
}

func TestReadyAndAvailable(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)

	t.Run("counts", func(t *testing.T) {
		s := newScene(t, h)
		rs := set("web", 3)
		rs.Spec.MinReadySeconds = 3600
		s.create(rs)
		pods := s.settles("web", 3)
		now := time.Now()
		s.SetPodStatus(pods[1].Name, harness.ReadySince(now))
		s.SetPodStatus(pods[2].Name, harness.ReadySince(now.Add(-2*time.Hour)))
		s.reports("web", counts(3, 3, 2, 1, 0))
	})

	t.Run("available in time, without an event", func(t *testing.T) {
		s := newScene(t, h)
		rs := set("web", 1)
		rs.Spec.MinReadySeconds = 3
		s.create(rs)
		pods := s.settles("web", 1)
		s.SetPodStatus(pods[0].Name, harness.ReadySince(time.Now()))
		s.reports("web", counts(1, 1, 1, 0, 0))
		s.reports("web", counts(1, 1, 1, 1, 0))
	})

	t.Run("fully labelled", func(t *testing.T) {
		s := newScene(t, h)
		s.create(set("web", 2))
		pods := s.settles("web", 2)
		_, err := s.Admin.AppsV1().ReplicaSets(s.NS).Patch(s.Ctx, "web", types.MergePatchType,
			[]byte(`{"spec":{"template":{"metadata":{"labels":{"tier":"front"}}}}}`), metav1.PatchOptions{})
		s.Must(err)
		s.reports("web", counts(2, 0, 0, 0, 0))
		s.LabelPod(pods[1].Name, "tier", "front")
		s.reports("web", counts(2, 1, 0, 0, 0))
	})
}

func TestEndedAndEndingPodsAreReplaced(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	rs := set("web", 2)
	rs.Spec.Template.Finalizers = []string{hold}
	created := s.create(rs)
	pods := s.settles("web", 2)
	s.DeletePod(pods[0].Name)
	s.SetPodStatus(pods[1].Name, corev1.PodStatus{Phase: corev1.PodFailed})
	s.Eventually(func() error {
		if n := len(s.PodsOf(created)); n != 4 {
			return fmt.Errorf("%d pods, want 4", n)
		}
		return nil
	})
	s.reports("web", counts(2, 2, 0, 0, 1))
	// Neither is released when it no longer matches.
	for i := range 2 {
		s.LabelPod(pods[i].Name, "app", "other")
	}
	s.catchUp()
	s.reports("web", counts(2, 2, 0, 0, 0))
	if n := len(s.PodsOf(created)); n != 4 {
		t.Errorf("%d pods, want 4", n)
	}
	s.scale("web", 0)
	s.reports("web", counts(0, 0, 0, 0, 2))
	if s.Pod(pods[1].Name).DeletionTimestamp != nil {
		t.Error("the failed pod was deleted")
	}
}

func TestTerminatingReplicas(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	rs := set("web", 5)
	rs.Spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](3600)
	s.create(rs)
	pods := s.settles("web", 5)
	for _, p := range pods[:2] {
		s.BindPod(p.Name, "node-0") // unscheduled pods have no grace
		s.DeletePod(p.Name)
	}
	s.reports("web", counts(5, 5, 0, 0, 2))
	s.RemovePod(pods[0].Name)
	s.reports("web", counts(5, 5, 0, 0, 1))

	run.Stop()
	h.Kit.Gates = h.Kit.Gates.With(feature.DeploymentReplicaSetTerminatingReplicas, false)
	h.Start(replicaset.Descriptor(), nil)
	want := counts(5, 5, 0, 0, 0)
	want.TerminatingReplicas = nil
	s.reports("web", want)
}

// A new run looks at every set, and leaves alone what is as it should be.
func TestRestartOnSettledSets(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	run := h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	s.create(set("web", 2))
	before := s.settles("web", 2)
	version := s.get("web").ResourceVersion
	run.Stop()
	h.Start(replicaset.Descriptor(), nil)
	s.create(set("later", 0)) // queued behind what was there at the start
	s.settles("later", 0)
	if got := s.get("web").ResourceVersion; got != version {
		t.Error("the set was written")
	}
	if !slices.Equal(harness.PodNames(before), harness.PodNames(s.Pods())) {
		t.Errorf("pods %v became %v", harness.PodNames(before), harness.PodNames(s.Pods()))
	}
}
