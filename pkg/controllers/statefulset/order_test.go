// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestOrderedPodsComeAndGoOneByOne(t *testing.T) {
	s := started(t)
	s.create(object("web", 3))
	s.has("web-0")
	s.reports("web", numbers{1, 0, 0, 1, 1})
	s.setStatus("web-0", corev1.PodStatus{Phase: corev1.PodRunning})
	s.stays("web-0")
	s.ready("web-0")
	s.has("web-0 web-1")
	s.ready("web-1", "web-2")
	set := s.complete("web", 3)

	pod := s.Pod("web-1")
	want := map[string]string{
		"app": "web", "statefulset.kubernetes.io/pod-name": "web-1", "apps.kubernetes.io/pod-index": "1",
		"controller-revision-hash": set.Status.UpdateRevision,
	}
	if diff := cmp.Diff(want, pod.Labels); diff != "" {
		t.Errorf("labels (-want +got)\n%s", diff)
	}
	if pod.Spec.Hostname != "web-1" || pod.Spec.Subdomain != "peers" || pod.GenerateName != "web-" || !metav1.IsControlledBy(pod, set) {
		t.Errorf("pod %+v", pod)
	}
	s.told("Normal SuccessfulCreate Create Pod web-2 in StatefulSet web successful")

	// A broken lower pod holds the others back.
	s.setStatus("web-0", corev1.PodStatus{Phase: corev1.PodRunning})
	s.reports("web", numbers{3, 2, 2, 3, 3})
	s.change("web", scaled(1))
	s.reports("web", numbers{3, 2, 2, 3, 3})
	s.stays("web-0 web-1 web-2")
	s.ready("web-0")
	s.has("web-0")
	s.complete("web", 1)
	s.told("Normal SuccessfulDelete Delete Pod web-1 in StatefulSet web successful")
}

func TestOrderedScaleDownHighestFirst(t *testing.T) {
	s := started(t)
	s.up(object("web", 3, held))
	s.change("web", scaled(0))
	for _, last := range []string{"web-2", "web-1", "web-0"} {
		s.Eventually(func() error {
			if s.Pod(last).DeletionTimestamp == nil {
				return errNotYet
			}
			return nil
		})
		s.catchUp()
		for name, pod := range s.pods() {
			if name != last && pod.DeletionTimestamp != nil {
				t.Errorf("%s goes with %s", name, last)
			}
		}
		s.letGo(last)
	}
	s.has("")
	s.reports("web", numbers{})
}

// Of two condemned pods, only the lowest broken one may go while it is broken.
func TestOrderedScaleDownOfBrokenPods(t *testing.T) {
	s := started(t)
	s.up(object("web", 3))
	s.setStatus("web-1", corev1.PodStatus{Phase: corev1.PodRunning})
	s.setStatus("web-2", corev1.PodStatus{Phase: corev1.PodRunning})
	s.reports("web", numbers{3, 1, 1, 3, 3})
	s.change("web", scaled(1))
	s.stays("web-0 web-1 web-2")
	s.ready("web-2")
	s.has("web-0")
}

func TestParallelPodsComeAndGoAtOnce(t *testing.T) {
	s := started(t)
	s.create(object("web", 4, parallel))
	s.has("web-0 web-1 web-2 web-3")
	s.reports("web", numbers{4, 0, 0, 4, 4})
	s.change("web", scaled(1))
	s.has("web-0")
	s.change("web", scaled(3))
	s.has("web-0 web-1 web-2")
	s.ready("web-0", "web-1", "web-2")
	s.complete("web", 3)
}

func TestMinReadySeconds(t *testing.T) {
	s := started(t)
	s.create(object("web", 2, func(set *appsv1.StatefulSet) { set.Spec.MinReadySeconds = 3 }))
	s.setStatus("web-0", harness.ReadySince(time.Now()))
	s.reports("web", numbers{1, 1, 0, 1, 1})
	s.stays("web-0")
	s.has("web-0 web-1") // in time, without an event
	s.ready("web-1")
	s.complete("web", 2)
}

func TestOrdinals(t *testing.T) {
	t.Run("from 4", func(t *testing.T) {
		s := started(t)
		s.up(object("web", 4, startAt(4)))
		s.has("web-4 web-5 web-6 web-7")
		s.change("web", scaled(1))
		s.has("web-4")
	})
	t.Run("moved", func(t *testing.T) {
		s := started(t)
		s.up(object("web", 2, startAt(2)))
		s.play()
		s.change("web", startAt(4))
		s.has("web-4 web-5")
		s.complete("web", 2)
		s.change("web", func(set *appsv1.StatefulSet) { set.Spec.Ordinals = nil })
		s.has("web-0 web-1")
	})
}

// A pod that has ended is deleted, and comes back under its name when it is gone.
func TestEndedPods(t *testing.T) {
	for _, phase := range []corev1.PodPhase{corev1.PodFailed, corev1.PodSucceeded} {
		t.Run(string(phase), func(t *testing.T) {
			s := started(t)
			s.up(object("web", 2, held))
			uid := s.Pod("web-0").UID
			s.setStatus("web-0", corev1.PodStatus{Phase: phase, Reason: "Evicted"})
			s.Eventually(func() error {
				if s.Pod("web-0").DeletionTimestamp == nil {
					return errNotYet
				}
				return nil
			})
			s.stays("web-0 web-1")
			s.letGo("web-0")
			s.Eventually(func() error {
				if pod := s.pods()["web-0"]; pod == nil || pod.UID == uid {
					return errNotYet
				}
				return nil
			})
			s.ready("web-0")
			s.complete("web", 2)
			s.told("Normal SuccessfulDelete Delete Pod web-0 in StatefulSet web successful")
		})
	}
}
