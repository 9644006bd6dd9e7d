// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

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
type scene struct {
	*harness.Harness

	t   *testing.T
	ctx context.Context
	ns  string
}

func newScene(t *testing.T, h *harness.Harness) *scene {
	return &scene{Harness: h, t: t, ctx: context.Background(), ns: h.Namespace()}
}

func web() map[string]string { return map[string]string{"app": "web"} }

// set makes a ReplicaSet that is not created yet.
func set(name string, replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: web()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: web()}, Spec: podSpec()},
		},
	}
}

// podSpec is of pods that go at once, since no kubelet will confirm their end.
func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                    []corev1.Container{{Name: "c", Image: "registry.example/c"}},
		TerminationGracePeriodSeconds: ptr.To[int64](0),
	}
}

func orphan(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: web()}, Spec: podSpec()}
}

func (s *scene) create(rs *appsv1.ReplicaSet) *appsv1.ReplicaSet {
	s.t.Helper()
	created, err := s.Admin.AppsV1().ReplicaSets(s.ns).Create(s.ctx, rs, metav1.CreateOptions{})
	s.must(err)
	return created
}

func (s *scene) get(name string) *appsv1.ReplicaSet {
	s.t.Helper()
	rs, err := s.Admin.AppsV1().ReplicaSets(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	return rs
}

func (s *scene) scale(name string, replicas int32) {
	s.t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := s.Admin.AppsV1().ReplicaSets(s.ns).Patch(s.ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "scale")
	s.must(err)
}

func (s *scene) createPod(pod *corev1.Pod) *corev1.Pod {
	s.t.Helper()
	created, err := s.Admin.CoreV1().Pods(s.ns).Create(s.ctx, pod, metav1.CreateOptions{})
	s.must(err)
	return created
}

func (s *scene) pod(name string) *corev1.Pod {
	s.t.Helper()
	pod, err := s.Admin.CoreV1().Pods(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	return pod
}

// pods of the namespace, sorted by name.
func (s *scene) pods() []corev1.Pod {
	s.t.Helper()
	list, err := s.Admin.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
	s.must(err)
	return list.Items
}

// owned are those controlled by an object.
func (s *scene) owned(owner metav1.Object) []corev1.Pod {
	s.t.Helper()
	return slices.DeleteFunc(s.pods(), func(p corev1.Pod) bool { return !metav1.IsControlledBy(&p, owner) })
}

func names(pods []corev1.Pod) []string {
	list := make([]string, 0, len(pods))
	for i := range pods {
		list = append(list, pods[i].Name)
	}
	return list
}

func (s *scene) patchPod(name string, patch map[string]any) {
	s.t.Helper()
	data, err := json.Marshal(patch)
	s.must(err)
	_, err = s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, name, types.MergePatchType, data, metav1.PatchOptions{})
	s.must(err)
}

func (s *scene) label(name string, labels map[string]any) {
	s.t.Helper()
	s.patchPod(name, map[string]any{"metadata": map[string]any{"labels": labels}})
}

func (s *scene) annotate(name, key, value string) {
	s.t.Helper()
	s.patchPod(name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
}

func (s *scene) deletePod(name string, grace *int64) {
	s.t.Helper()
	s.must(s.Admin.CoreV1().Pods(s.ns).Delete(s.ctx, name, metav1.DeleteOptions{GracePeriodSeconds: grace}))
}

func (s *scene) bind(name, node string) {
	s.t.Helper()
	s.must(s.Admin.CoreV1().Pods(s.ns).Bind(s.ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{}))
}

func (s *scene) setStatus(name string, status corev1.PodStatus) {
	s.t.Helper()
	pod := s.pod(name)
	pod.Status = status
	_, err := s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
	s.must(err)
}

// running is the status of a pod that became ready then.
func running(since time.Time) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since)},
	}}
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
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
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
	s.t.Helper()
	s.reports(name, counts(replicas, replicas, 0, 0, 0))
	return s.owned(s.get(name))
}

// catchUp waits until the controller has seen every pod as it is now: events of
// pods come in order, so until it has adopted, and deleted as surplus, another
// one.
func (s *scene) catchUp() {
	s.t.Helper()
	marker := set("marker", 0)
	marker.Spec.Selector.MatchLabels = map[string]string{"marker": s.ns}
	marker.Spec.Template.Labels = marker.Spec.Selector.MatchLabels
	s.create(marker)
	pod := orphan("marker")
	pod.Labels = marker.Spec.Template.Labels
	s.createPod(pod)
	testkit.Eventually(s.t, harness.Timeout, func() error {
		if slices.Contains(names(s.pods()), pod.Name) {
			return fmt.Errorf("pod %s is still there", pod.Name)
		}
		return nil
	})
}

// events of the namespace with that reason.
func (s *scene) events(reason string) []corev1.Event {
	s.t.Helper()
	list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=" + reason})
	s.must(err)
	return list.Items
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
