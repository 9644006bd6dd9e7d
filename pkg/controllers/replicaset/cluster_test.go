// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// hold is a finalizer that keeps deleted objects.
const hold = "test.kube-live.dev/hold"

// scene is a namespace in which a test plays what is not there: scheduler,
// kubelet, garbage collector.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

func web() map[string]string { return map[string]string{"app": "web"} }

// set makes a ReplicaSet that is not created yet.
func set(name string, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: web()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: web()}, Spec: harness.PodSpec()},
		},
	}
}

func orphan(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: web()}, Spec: harness.PodSpec()}
}

func (s *scene) create(rs *appsv1.ReplicaSet) *appsv1.ReplicaSet {
	s.T.Helper()
	created, err := s.Admin.AppsV1().ReplicaSets(s.NS).Create(s.Ctx, rs, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) get(name string) *appsv1.ReplicaSet {
	s.T.Helper()
	rs, err := s.Admin.AppsV1().ReplicaSets(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
	s.Must(err)
	return rs
}

func (s *scene) scale(name string, replicas int32) {
	s.T.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := s.Admin.AppsV1().ReplicaSets(s.NS).Patch(s.Ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "scale")
	s.Must(err)
}

// counts of a status without what follows from the time of the test.
func counts(replicas, labelled, ready, available, terminating int32) appsv1.ReplicaSetStatus {
	return appsv1.ReplicaSetStatus{
		Replicas: replicas, FullyLabeledReplicas: labelled, ReadyReplicas: ready, AvailableReplicas: available,
		TerminatingReplicas: ptr.To(terminating),
	}
}

// reports waits until the controller has seen the latest spec and reports these
// counts and no condition.
func (s *scene) reports(name string, want appsv1.ReplicaSetStatus) {
	s.T.Helper()
	s.Eventually(func() error {
		rs := s.get(name)
		want.ObservedGeneration = rs.Generation
		if diff := cmp.Diff(want, rs.Status); diff != "" {
			return fmt.Errorf("status (-want +got):\n%s", diff)
		}
		return nil
	})
}

// settles waits for a set whose pods nobody has made ready.
func (s *scene) settles(name string, replicas int32) []corev1.Pod {
	s.T.Helper()
	s.reports(name, counts(replicas, replicas, 0, 0, 0))
	return s.PodsOf(s.get(name))
}

// catchUp waits until the controller has seen every pod as it is now: events of
// pods come in order, so until it has adopted, and deleted as surplus, another
// one.
func (s *scene) catchUp() {
	s.T.Helper()
	marker := set("marker", 0)
	marker.Spec.Selector.MatchLabels = map[string]string{"marker": s.NS}
	marker.Spec.Template.Labels = marker.Spec.Selector.MatchLabels
	s.create(marker)
	pod := orphan("marker")
	pod.Labels = marker.Spec.Template.Labels
	s.CreatePod(pod)
	s.Eventually(func() error {
		if slices.Contains(harness.PodNames(s.Pods()), pod.Name) {
			return fmt.Errorf("pod %s is still there", pod.Name)
		}
		return nil
	})
}
