// SPDX-License-Identifier: Apache-2.0

package replicationcontroller_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a namespace with one ReplicationController, "web". The test plays what
// is not there: scheduler, kubelet, garbage collector.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

func labels() map[string]string { return map[string]string{"app": "web"} }

func (s *scene) create(replicas int32, change ...func(*corev1.ReplicationController)) *corev1.ReplicationController {
	s.T.Helper()
	rc := &corev1.ReplicationController{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ReplicationControllerSpec{
			Replicas: &replicas, Selector: labels(),
			Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: harness.PodSpec()},
		},
	}
	for _, f := range change {
		f(rc)
	}
	created, err := s.Admin.CoreV1().ReplicationControllers(s.NS).Create(s.Ctx, rc, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) get() *corev1.ReplicationController {
	s.T.Helper()
	rc, err := s.Admin.CoreV1().ReplicationControllers(s.NS).Get(s.Ctx, "web", metav1.GetOptions{})
	s.Must(err)
	return rc
}

func (s *scene) patch(patch string, subresource ...string) {
	s.T.Helper()
	_, err := s.Admin.CoreV1().ReplicationControllers(s.NS).Patch(s.Ctx, "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresource...)
	s.Must(err)
}

func (s *scene) scale(replicas int) {
	s.T.Helper()
	s.patch(fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas), "scale")
}

// stray is a pod that nobody controls, unless by these references.
func (s *scene) stray(name string, refs ...metav1.OwnerReference) {
	s.T.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels(), OwnerReferences: refs}, Spec: harness.PodSpec()}
	s.CreatePod(pod)
}

// runs has a pod be ready since some time.
func (s *scene) runs(name string, ago time.Duration) {
	s.T.Helper()
	s.SetPodStatus(name, harness.ReadySince(time.Now().Add(-ago)))
}

// reports waits until the status has seen the latest spec, counts replicas, fully
// labelled, ready and available ones like that, and has no condition.
func (s *scene) reports(replicas, labelled, ready, available int32) {
	s.T.Helper()
	s.Eventually(func() error {
		rc := s.get()
		want := corev1.ReplicationControllerStatus{
			Replicas: replicas, FullyLabeledReplicas: labelled, ReadyReplicas: ready, AvailableReplicas: available, ObservedGeneration: rc.Generation,
		}
		if diff := cmp.Diff(want, rc.Status); diff != "" {
			return fmt.Errorf("status (-want +got):\n%s", diff)
		}
		return nil
	})
}

// told waits for an event with that reason and a message that begins so.
func (s *scene) told(kind, reason, message string) {
	s.T.Helper()
	s.Eventually(func() error {
		list := s.Events("reason=" + reason)
		for _, e := range list {
			if e.Source.Component != "replication-controller" || e.InvolvedObject.Kind != "ReplicationController" {
				s.T.Errorf("event %+v", e)
			}
			if e.Type == kind && strings.HasPrefix(e.Message, message) {
				return nil
			}
		}
		return fmt.Errorf("no event %s in %d", reason, len(list))
	})
}
