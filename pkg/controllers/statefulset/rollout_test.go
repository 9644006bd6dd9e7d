// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func unavailable(n intstr.IntOrString) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		if s.Spec.UpdateStrategy.RollingUpdate == nil {
			partition(0)(s)
		}
		s.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &n
	}
}

func TestRollingUpdate(t *testing.T) {
	s := started(t)
	old := s.up(object("web", 3)).Status.CurrentRevision
	s.change("web", image("v2"))
	s.images("web-0=v1 web-1=v1 web-2=v2")
	set := s.reports("web", numbers{3, 2, 2, 2, 1})
	if set.Status.CurrentRevision != old || set.Status.UpdateRevision == old {
		t.Errorf("status %+v", set.Status)
	}
	s.catchUp()
	s.images("web-0=v1 web-1=v1 web-2=v2") // waits for web-2
	s.ready("web-2")
	s.images("web-0=v1 web-1=v2 web-2=v2")
	s.ready("web-1")
	s.images("web-0=v2 web-1=v2 web-2=v2")
	s.ready("web-0")
	if set := s.complete("web", 3); set.Status.CurrentRevision == old {
		t.Errorf("status %+v", set.Status)
	}
	for name, want := range map[string]float64{"statefulset_max_unavailable": 1, "statefulset_unavailable_replicas": 0} {
		labels := map[string]string{"statefulset_namespace": s.NS, "statefulset_name": "web", "pod_management_policy": "OrderedReady"}
		if n, found := s.Metric("statefulset_controller_"+name, labels); !found || n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
	s.Must(s.Admin.AppsV1().StatefulSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{}))
	s.Eventually(func() error {
		if _, found := s.Metric("statefulset_controller_statefulset_max_unavailable", map[string]string{"statefulset_namespace": s.NS, "statefulset_name": "web"}); found {
			return fmt.Errorf("the series of a set that is gone")
		}
		return nil
	})
}

// Where the set has no rollingUpdate block, pods that are lost during a rollout
// come back at the revision that their number had.
func TestPodsLostDuringARollout(t *testing.T) {
	s := started(t)
	s.up(object("web", 3, strategy(appsv1.RollingUpdateStatefulSetStrategyType)))
	s.change("web", image("v2"))
	s.images("web-0=v1 web-1=v1 web-2=v2")
	s.reports("web", numbers{3, 2, 2, 2, 1})
	s.DeletePod("web-0")
	s.images("web-0=v1 web-1=v1 web-2=v2")
	s.play()
	s.ready("web-0", "web-2")
	s.images("web-0=v2 web-1=v2 web-2=v2")
	s.complete("web", 3)
}

func TestPartition(t *testing.T) {
	s := started(t)
	s.play()
	s.create(object("web", 3, partition(3)))
	old := s.complete("web", 3).Status.CurrentRevision
	s.change("web", image("v2"))
	s.reports("web", numbers{3, 3, 3, 3, 0})
	s.images("web-0=v1 web-1=v1 web-2=v1")
	s.change("web", partition(2))
	s.reports("web", numbers{3, 3, 3, 2, 1})
	s.images("web-0=v1 web-1=v1 web-2=v2")
	// Below the partition a lost pod comes back as it was, above it as it will be.
	s.DeletePod("web-0")
	s.DeletePod("web-2")
	set := s.reports("web", numbers{3, 3, 3, 2, 1})
	s.images("web-0=v1 web-1=v1 web-2=v2")
	if set.Status.CurrentRevision != old {
		t.Error("the new revision became the current one")
	}
	s.change("web", partition(0))
	s.complete("web", 3)
	s.images("web-0=v2 web-1=v2 web-2=v2")
}

func TestPartitionWithOrdinals(t *testing.T) {
	s := started(t)
	s.play()
	s.create(object("web", 3, startAt(5), partition(1)))
	s.complete("web", 3)
	s.change("web", image("v2"))
	s.images("web-5=v1 web-6=v2 web-7=v2")
	s.reports("web", numbers{3, 3, 3, 1, 2})
}

func TestOnDelete(t *testing.T) {
	s := started(t)
	s.play()
	s.create(object("web", 2, strategy(appsv1.OnDeleteStatefulSetStrategyType)))
	old := s.complete("web", 2).Status.CurrentRevision
	s.change("web", image("v2"))
	s.reports("web", numbers{2, 2, 2, 2, 0})
	s.images("web-0=v1 web-1=v1")
	s.DeletePod("web-0")
	s.images("web-0=v2 web-1=v1")
	if set := s.reports("web", numbers{2, 2, 2, 1, 1}); set.Status.CurrentRevision != old {
		t.Error("the new revision became the current one too early")
	}
	s.DeletePod("web-1")
	s.images("web-0=v2 web-1=v2")
	if set := s.complete("web", 2); set.Status.CurrentRevision == old {
		t.Error("the new revision did not become the current one")
	}
}

// Two at a time go together, come back one by one, and only then the next two go.
func TestMaxUnavailableOrdered(t *testing.T) {
	s := started(t)
	s.up(object("web", 5, unavailable(intstr.FromInt32(2))))
	s.change("web", image("v2"))
	s.images("web-0=v1 web-1=v1 web-2=v1 web-3=v2")
	s.reports("web", numbers{4, 3, 3, 3, 1})
	s.ready("web-3")
	s.images("web-0=v1 web-1=v1 web-2=v1 web-3=v2 web-4=v2")
	s.catchUp()
	s.images("web-0=v1 web-1=v1 web-2=v1 web-3=v2 web-4=v2")
	s.play()
	s.ready("web-4")
	s.complete("web", 5)
	s.images("web-0=v2 web-1=v2 web-2=v2 web-3=v2 web-4=v2")
}

func TestMaxUnavailableParallel(t *testing.T) {
	s := started(t)
	s.up(object("web", 5, parallel, unavailable(intstr.FromString("40%"))))
	s.setStatus("web-1", corev1.PodStatus{Phase: corev1.PodRunning})
	s.reports("web", numbers{5, 4, 4, 5, 5})
	s.change("web", image("v2"))
	s.images("web-0=v1 web-1=v2 web-2=v1 web-3=v1 web-4=v2") // the broken one, and one more
	if n, _ := s.Metric("statefulset_controller_statefulset_max_unavailable", map[string]string{"statefulset_namespace": s.NS, "statefulset_name": "web"}); n != 2 {
		t.Errorf("40%% of 5 is %v", n)
	}
	s.play()
	s.ready("web-1", "web-4")
	s.images("web-0=v2 web-1=v2 web-2=v2 web-3=v2 web-4=v2")
	s.complete("web", 5)
}

func TestWithoutTheGateOneAtATime(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Kit.Gates = h.Kit.Gates.With(feature.MaxUnavailableStatefulSet, false)
	start(h)
	s := newScene(t, h)
	s.up(object("web", 3, parallel, unavailable(intstr.FromInt32(3))))
	s.change("web", image("v2"))
	s.images("web-0=v1 web-1=v1 web-2=v2")
	s.catchUp()
	s.images("web-0=v1 web-1=v1 web-2=v2")
	s.ready("web-2")
	s.images("web-0=v1 web-1=v2 web-2=v2")
	if _, found := h.Metric("statefulset_controller_statefulset_max_unavailable", nil); found {
		t.Error("a metric of the gate")
	}
}

func progressing(set *appsv1.StatefulSet) string {
	for _, c := range set.Status.Conditions {
		if c.Type == "Progressing" {
			return fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)
		}
	}
	return ""
}

func (s *scene) progresses(name, want string) *appsv1.StatefulSet {
	s.T.Helper()
	var set *appsv1.StatefulSet
	s.Eventually(func() error {
		if set = s.get(name); progressing(set) != want {
			return fmt.Errorf("condition %q, want %q", progressing(set), want)
		}
		return nil
	})
	return set
}

func TestRecreate(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Kit.Gates = h.Kit.Gates.With(feature.StatefulSetRecreateStrategy, true)
	start(h)
	s := newScene(t, h)
	s.up(object("web", 3, held, strategy(appsv1.RecreateStatefulSetStrategyType), claims("Retain", "Retain")))
	if c := progressing(s.get("web")); c != "" {
		t.Errorf("condition %q", c)
	}
	disk := s.claim("data-web-0").UID
	s.setStatus("web-1", corev1.PodStatus{Phase: corev1.PodPending}) // its image does not exist
	s.change("web", image("v2"), scaled(2))
	s.progresses("web", "True RecreateInProgress Deleting old revision pods")
	for n := range 3 {
		name := fmt.Sprintf("web-%d", n)
		s.Eventually(func() error {
			if s.Pod(name).DeletionTimestamp == nil {
				return errNotYet
			}
			return nil
		})
	}
	for n := range 3 {
		s.catchUp()
		s.progresses("web", "True RecreateInProgress Deleting old revision pods")
		s.letGo(fmt.Sprintf("web-%d", n))
	}
	s.images("web-0=v2")
	s.progresses("web", "True RecreateInProgress Waiting for new-revision pods to be created")
	s.ready("web-0", "web-1")
	s.complete("web", 2)
	set := s.progresses("web", "False RecreateCompleted All pods recreated successfully")
	if c := set.Status.Conditions; len(c) != 1 || time.Since(c[0].LastTransitionTime.Time) > time.Minute {
		t.Errorf("conditions %+v", c)
	}
	if s.claim("data-web-0").UID != disk {
		t.Error("the claim was replaced")
	}
}

func TestRecreateWithoutTheGate(t *testing.T) {
	s := started(t)
	s.create(object("web", 1, strategy(appsv1.RecreateStatefulSetStrategyType)))
	s.told(fmt.Sprintf("Warning UnknownStrategy statefulset %s/web uses Recreate strategy but feature gate StatefulSetRecreateStrategy is disabled", s.NS))
	s.stays("")
	if set := s.get("web"); set.Status.ObservedGeneration != 0 {
		t.Errorf("status %+v", set.Status)
	}
}
