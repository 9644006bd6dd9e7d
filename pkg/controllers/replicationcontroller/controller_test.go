// SPDX-License-Identifier: Apache-2.0

package replicationcontroller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicationcontroller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// What the engine does is tested with the engine; here is what the kind adds.
func TestReplicationControllers(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicationcontroller.Descriptor(), nil)
	for name, test := range map[string]func(*scene){
		"scaled":                      scaled,
		"adoption and release":        adoptionAndRelease,
		"ready and available":         readyAndAvailable,
		"ended and ending":            endedAndEnding,
		"quota":                       quota,
		"a ReplicaSet of that name":   namesake,
		"being deleted":               beingDeleted,
		"the newest pod goes first":   newestFirst,
		"the cheapest pod goes first": cheapestFirst,
	} {
		t.Run(name, func(t *testing.T) { test(newScene(t, h)) })
	}
}

func reference(rc *corev1.ReplicationController) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: "v1", Kind: "ReplicationController", Name: rc.Name, UID: rc.UID, Controller: new(true), BlockOwnerDeletion: new(true),
	}
}

func scaled(s *scene) {
	rc := s.create(2)
	s.reports(2, 2, 0, 0)
	for _, p := range s.Pods() {
		if diff := cmp.Diff([]metav1.OwnerReference{reference(rc)}, p.OwnerReferences); diff != "" || p.GenerateName != "web-" {
			s.T.Errorf("pod %s* with references (-want +got):\n%s", p.GenerateName, diff)
		}
	}
	s.told(corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: web-")
	for _, n := range []int{3, 0} {
		s.scale(n)
		s.reports(int32(n), int32(n), 0, 0)
		if got := len(s.Pods()); got != n {
			s.T.Errorf("%d pods, want %d", got, n)
		}
	}
	s.told(corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: web-")
}

func adoptionAndRelease(s *scene) {
	s.stray("a")
	s.stray("other", metav1.OwnerReference{APIVersion: "v1", Kind: "ReplicationController", Name: "web", UID: "former", Controller: new(true)})
	rc := s.create(1)
	s.Eventually(func() error {
		if pods := s.PodsOf(rc); len(pods) != 1 {
			return fmt.Errorf("owns %v", harness.PodNames(pods))
		}
		return nil
	})
	s.reports(1, 1, 0, 0)
	leaver := s.PodsOf(rc)[0]
	s.LabelPod(leaver.Name, "app", "other")
	s.Eventually(func() error {
		pods := s.Pods()
		i := slices.IndexFunc(pods, func(p corev1.Pod) bool { return p.Name == leaver.Name })
		if len(s.PodsOf(rc)) != 1 || i < 0 || len(pods[i].OwnerReferences) > 0 {
			return fmt.Errorf("%s is not released, or not replaced, among %v", leaver.Name, harness.PodNames(pods))
		}
		return nil
	})
	// Back again, it is one too many.
	s.LabelPod(leaver.Name, "app", "web")
	s.Eventually(func() error {
		if n, all := len(s.PodsOf(rc)), s.Pods(); n != 1 || len(all) > 2 {
			return fmt.Errorf("%d of %v", n, harness.PodNames(all))
		}
		return nil
	})
	if !slices.Contains(harness.PodNames(s.Pods()), "other") {
		s.T.Error("a pod of somebody else was deleted")
	}
}

func readyAndAvailable(s *scene) {
	s.create(3, func(rc *corev1.ReplicationController) { rc.Spec.MinReadySeconds = 3600 })
	s.reports(3, 3, 0, 0)
	pods := s.Pods()
	s.runs(pods[1].Name, time.Minute)
	s.runs(pods[2].Name, 2*time.Hour)
	s.reports(3, 3, 2, 1)
	s.patch(`{"spec":{"template":{"metadata":{"labels":{"tier":"front"}}}}}`)
	s.reports(3, 0, 2, 1)
	s.LabelPod(pods[0].Name, "tier", "front")
	s.reports(3, 1, 2, 1)
	if diff := cmp.Diff(harness.PodNames(pods), harness.PodNames(s.Pods())); diff != "" {
		s.T.Errorf("pods (-want +got):\n%s", diff)
	}
}

func endedAndEnding(s *scene) {
	rc := s.create(2, func(rc *corev1.ReplicationController) {
		rc.Spec.Template.Finalizers = []string{"test.kube-live.dev/hold"}
	})
	s.reports(2, 2, 0, 0)
	pods := s.Pods()
	s.DeletePod(pods[0].Name)
	s.SetPodStatus(pods[1].Name, corev1.PodStatus{Phase: corev1.PodFailed})
	s.Eventually(func() error {
		if n := len(s.PodsOf(rc)); n != 4 {
			return fmt.Errorf("%d pods, want 4", n)
		}
		return nil
	})
	s.reports(2, 2, 0, 0)
}

func quota(s *scene) {
	s.Quota(corev1.ResourcePods, "2")
	s.create(3)
	s.Eventually(func() error {
		status := s.get().Status
		if len(status.Conditions) != 1 || status.Replicas != 2 {
			return fmt.Errorf("status %+v", status)
		}
		c := status.Conditions[0]
		if c.Type != corev1.ReplicationControllerReplicaFailure || c.Status != corev1.ConditionTrue || c.Reason != "FailedCreate" || !strings.Contains(c.Message, "exceeded quota") {
			return fmt.Errorf("condition %+v", c)
		}
		return nil
	})
	s.told(corev1.EventTypeWarning, "FailedCreate", "Error creating: pods ")
	s.scale(2)
	s.reports(2, 2, 0, 0)
}

// The test plays the ReplicaSet's controller.
func namesake(s *scene) {
	rs, err := s.Admin.AppsV1().ReplicaSets(s.NS).Create(s.Ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: harness.PodSpec(),
		}},
	}, metav1.CreateOptions{})
	s.Must(err)
	ref := *metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
	s.stray("a", ref)
	s.stray("b", ref)
	rc := s.create(1)
	s.reports(1, 1, 0, 0)
	s.scale(0)
	s.reports(0, 0, 0, 0)
	if own, its := s.PodsOf(rc), s.PodsOf(rs); len(own) != 0 || len(its) != 2 {
		s.T.Errorf("%v and %v", harness.PodNames(own), harness.PodNames(its))
	}
}

func beingDeleted(s *scene) {
	rc := s.create(2, func(rc *corev1.ReplicationController) { rc.Finalizers = []string{"test.kube-live.dev/hold"} })
	s.reports(2, 2, 0, 0)
	s.Must(s.Admin.CoreV1().ReplicationControllers(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}))
	s.reports(2, 2, 0, 0) // seen with its deletion
	s.stray("stray")
	s.DeletePod(s.PodsOf(rc)[0].Name)
	s.reports(1, 1, 0, 0)
	if own, all := s.PodsOf(rc), s.Pods(); len(own) != 1 || len(all) != 2 {
		s.T.Errorf("owns %v of %v", harness.PodNames(own), harness.PodNames(all))
	}
}

func newestFirst(s *scene) {
	s.create(2)
	s.reports(2, 2, 0, 0)
	first := s.Pods()
	for _, p := range first {
		s.runs(p.Name, time.Hour)
	}
	s.scale(3)
	s.reports(3, 3, 2, 2)
	for _, p := range s.Pods() {
		if !slices.Contains(harness.PodNames(first), p.Name) {
			s.runs(p.Name, 10*time.Second)
		}
	}
	s.reports(3, 3, 3, 3)
	s.scale(2)
	s.reports(2, 2, 2, 2)
	if diff := cmp.Diff(harness.PodNames(first), harness.PodNames(s.Pods())); diff != "" {
		s.T.Errorf("pods (-want +got):\n%s", diff)
	}
}

func cheapestFirst(s *scene) {
	s.create(2)
	s.reports(2, 2, 0, 0)
	pods := s.Pods()
	s.AnnotatePod(pods[0].Name, "controller.kubernetes.io/pod-deletion-cost", "100")
	s.runs(pods[0].Name, 10*time.Second) // by this it would go
	s.runs(pods[1].Name, time.Hour)
	s.reports(2, 2, 2, 2)
	s.scale(1)
	s.reports(1, 1, 1, 1)
	if got := harness.PodNames(s.Pods()); !slices.Equal(got, harness.PodNames(pods[:1])) {
		s.T.Errorf("%v are left of %v", got, harness.PodNames(pods))
	}
}

// A restart in the middle of a scale-up must create no pod twice: a new run waits
// until its caches show what the one before wrote.
func TestRestartDuringScaleUp(t *testing.T) {
	const replicas = 30
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	created := s.Creations()
	run := h.Start(replicationcontroller.Descriptor(), nil)
	s.create(replicas)
	for _, until := range []int{3, 12} {
		created.Reach(until)
		run.Stop()
		run = h.Start(replicationcontroller.Descriptor(), nil)
	}
	s.reports(replicas, replicas, 0, 0)
	if n := len(s.Pods()); n != replicas {
		t.Errorf("%d pods", n)
	}
	for _, e := range s.Events("") {
		if e.Reason != "SuccessfulCreate" {
			t.Errorf("event %s %q", e.Reason, e.Message)
		}
	}
}
