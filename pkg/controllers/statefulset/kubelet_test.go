// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func (s *scene) setStatus(name string, status corev1.PodStatus) {
	s.T.Helper()
	s.Eventually(func() error {
		pod, err := s.Admin.CoreV1().Pods(s.NS).Get(s.Ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		pod.Status = status
		_, err = s.Admin.CoreV1().Pods(s.NS).UpdateStatus(s.Ctx, pod, metav1.UpdateOptions{})
		return err
	})
}

// ready makes pods run and be ready, as soon as they exist.
func (s *scene) ready(names ...string) {
	s.T.Helper()
	for _, name := range names {
		s.setStatus(name, harness.ReadySince(time.Now().Add(-time.Hour)))
	}
}

// letGo takes the finalizers from a pod.
func (s *scene) letGo(name string) {
	s.T.Helper()
	s.PatchPod(name, `{"metadata":{"finalizers":null}}`)
}

// play makes every pod of the namespace ready when it appears, until the test ends.
func (s *scene) play() {
	s.T.Helper()
	watch, err := s.Admin.CoreV1().Pods(s.NS).Watch(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range watch.ResultChan() {
			if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil {
				pod.Status = harness.ReadySince(time.Now().Add(-time.Hour))
				// A pod that is gone meanwhile needs none.
				_, _ = s.Admin.CoreV1().Pods(s.NS).UpdateStatus(s.Ctx, pod, metav1.UpdateOptions{})
			}
		}
	}()
	s.T.Cleanup(func() { watch.Stop(); <-ended })
}
