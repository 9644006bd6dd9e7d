// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PodSpec is of pods that go at once when they are deleted, since no kubelet will
// confirm their end.
func PodSpec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                    []corev1.Container{{Name: "c", Image: "registry.example/c"}},
		TerminationGracePeriodSeconds: new(int64(0)),
	}
}

// ReadySince is the status of a pod that runs and became ready then.
func ReadySince(then time.Time) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(then)},
	}}
}

// PodNames are the names of pods, in their order.
func PodNames(pods []corev1.Pod) []string {
	names := make([]string, 0, len(pods))
	for i := range pods {
		names = append(names, pods[i].Name)
	}
	return names
}

// Pods are those of the namespace, sorted by name.
func (s *Scene) Pods() []corev1.Pod {
	s.T.Helper()
	list, err := s.Admin.CoreV1().Pods(s.NS).List(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	return list.Items
}

// PodsOf are the pods that an object controls, sorted by name.
func (s *Scene) PodsOf(owner metav1.Object) []corev1.Pod {
	s.T.Helper()
	return slices.DeleteFunc(s.Pods(), func(p corev1.Pod) bool { return !metav1.IsControlledBy(&p, owner) })
}

// Pod reads a pod, which must exist.
func (s *Scene) Pod(name string) *corev1.Pod {
	s.T.Helper()
	pod, err := s.Admin.CoreV1().Pods(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
	s.Must(err)
	return pod
}

// CreatePod creates a pod. Its status is what the API server makes of it.
func (s *Scene) CreatePod(pod *corev1.Pod) *corev1.Pod {
	s.T.Helper()
	created, err := s.Admin.CoreV1().Pods(s.NS).Create(s.Ctx, pod, metav1.CreateOptions{})
	s.Must(err)
	return created
}

// PatchPod sends a merge patch.
func (s *Scene) PatchPod(name, patch string) {
	s.T.Helper()
	_, err := s.Admin.CoreV1().Pods(s.NS).Patch(s.Ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.Must(err)
}

// LabelPod changes a label of a pod, or adds it.
func (s *Scene) LabelPod(name, key, value string) {
	s.T.Helper()
	s.PatchPod(name, fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value))
}

// AnnotatePod changes an annotation of a pod, or adds it.
func (s *Scene) AnnotatePod(name, key, value string) {
	s.T.Helper()
	s.PatchPod(name, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, key, value))
}

// BindPod puts a pod on a node, as a scheduler does. The node need not exist.
func (s *Scene) BindPod(name, node string) {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().Pods(s.NS).Bind(s.Ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Target: corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{}))
}

// SetPodStatus writes the status of a pod, as a kubelet does.
func (s *Scene) SetPodStatus(name string, status corev1.PodStatus) {
	s.T.Helper()
	pod := s.Pod(name)
	pod.Status = status
	_, err := s.Admin.CoreV1().Pods(s.NS).UpdateStatus(s.Ctx, pod, metav1.UpdateOptions{})
	s.Must(err)
}

// DeletePod asks for a pod's end, with its grace period.
func (s *Scene) DeletePod(name string) {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().Pods(s.NS).Delete(s.Ctx, name, metav1.DeleteOptions{}))
}

// RemovePod deletes a pod at once, as a kubelet does in the end.
func (s *Scene) RemovePod(name string) {
	s.T.Helper()
	s.Must(s.Admin.CoreV1().Pods(s.NS).Delete(s.Ctx, name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
}
