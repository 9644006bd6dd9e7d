// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func (s *scene) setStatus(name string, status corev1.PodStatus) {
	s.t.Helper()
	s.eventually(func() error {
		pod, err := s.Admin.CoreV1().Pods(s.ns).Get(s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		pod.Status = status
		_, err = s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
		return err
	})
}

// running is the status of a pod that became ready then.
func running(since time.Time) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since)},
	}}
}

// ready makes pods run and be ready, as soon as they exist.
func (s *scene) ready(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.setStatus(name, running(time.Now().Add(-time.Hour)))
	}
}

func (s *scene) deletePod(name string) {
	s.t.Helper()
	s.must(s.Admin.CoreV1().Pods(s.ns).Delete(s.ctx, name, metav1.DeleteOptions{}))
}

func (s *scene) patchPod(name string, patch map[string]any) {
	s.t.Helper()
	data, err := json.Marshal(map[string]any{"metadata": patch})
	s.must(err)
	_, err = s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, name, types.MergePatchType, data, metav1.PatchOptions{})
	s.must(err)
}

// letGo takes the finalizers from a pod.
func (s *scene) letGo(name string) {
	s.t.Helper()
	s.patchPod(name, map[string]any{"finalizers": nil})
}

// play makes every pod of the namespace ready when it appears, until the test ends.
func (s *scene) play() {
	s.t.Helper()
	watch, err := s.Admin.CoreV1().Pods(s.ns).Watch(s.ctx, metav1.ListOptions{})
	s.must(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range watch.ResultChan() {
			if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil {
				pod.Status = running(time.Now().Add(-time.Hour))
				// A pod that is gone meanwhile needs none.
				_, _ = s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
			}
		}
	}()
	s.t.Cleanup(func() { watch.Stop(); <-ended })
}
