// SPDX-License-Identifier: Apache-2.0

package replicationcontroller_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a namespace with one ReplicationController, "web". The test plays what
// is not there: scheduler, kubelet, garbage collector.
type scene struct {
	*harness.Harness

	t   *testing.T
	ctx context.Context
	ns  string
}

func newScene(t *testing.T, h *harness.Harness) *scene {
	return &scene{Harness: h, t: t, ctx: context.Background(), ns: h.Namespace()}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func labels() map[string]string { return map[string]string{"app": "web"} }

// podSpec is of pods that go at once, since no kubelet will confirm their end.
func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                    []corev1.Container{{Name: "c", Image: "registry.example/c"}},
		TerminationGracePeriodSeconds: new(int64(0)),
	}
}

func (s *scene) create(replicas int32, change ...func(*corev1.ReplicationController)) *corev1.ReplicationController {
	s.t.Helper()
	rc := &corev1.ReplicationController{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ReplicationControllerSpec{
			Replicas: &replicas, Selector: labels(),
			Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: podSpec()},
		},
	}
	for _, f := range change {
		f(rc)
	}
	created, err := s.Admin.CoreV1().ReplicationControllers(s.ns).Create(s.ctx, rc, metav1.CreateOptions{})
	s.must(err)
	return created
}

func (s *scene) get() *corev1.ReplicationController {
	s.t.Helper()
	rc, err := s.Admin.CoreV1().ReplicationControllers(s.ns).Get(s.ctx, "web", metav1.GetOptions{})
	s.must(err)
	return rc
}

func (s *scene) patch(patch string, subresource ...string) {
	s.t.Helper()
	_, err := s.Admin.CoreV1().ReplicationControllers(s.ns).Patch(s.ctx, "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresource...)
	s.must(err)
}

func (s *scene) scale(replicas int) {
	s.t.Helper()
	s.patch(fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas), "scale")
}

// stray is a pod that nobody controls, unless by these references.
func (s *scene) stray(name string, refs ...metav1.OwnerReference) {
	s.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels(), OwnerReferences: refs}, Spec: podSpec()}
	_, err := s.Admin.CoreV1().Pods(s.ns).Create(s.ctx, pod, metav1.CreateOptions{})
	s.must(err)
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

func (s *scene) patchPod(name, patch string) {
	s.t.Helper()
	_, err := s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

// runs has a pod be ready since some time.
func (s *scene) runs(name string, ago time.Duration) {
	s.t.Helper()
	s.become(name, corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Now().Add(-ago))},
	}})
}

func (s *scene) become(name string, status corev1.PodStatus) {
	s.t.Helper()
	pod, err := s.Admin.CoreV1().Pods(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	pod.Status = status
	_, err = s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
	s.must(err)
}

// reports waits until the status has seen the latest spec, counts replicas, fully
// labelled, ready and available ones like that, and has no condition.
func (s *scene) reports(replicas, labelled, ready, available int32) {
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
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
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
		list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=" + reason})
		s.must(err)
		for _, e := range list.Items {
			if e.Source.Component != "replication-controller" || e.InvolvedObject.Kind != "ReplicationController" {
				s.t.Errorf("event %+v", e)
			}
			if e.Type == kind && strings.HasPrefix(e.Message, message) {
				return nil
			}
		}
		return fmt.Errorf("no event %s in %d", reason, len(list.Items))
	})
}

// quota allows n pods. Its status is what admission goes by, and nobody else
// writes it here.
func (s *scene) quota(n string) {
	s.t.Helper()
	hard := corev1.ResourceList{corev1.ResourcePods: resource.MustParse(n)}
	quotas := s.Admin.CoreV1().ResourceQuotas(s.ns)
	q, err := quotas.Create(s.ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}, metav1.CreateOptions{})
	s.must(err)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}}
	_, err = quotas.UpdateStatus(s.ctx, q, metav1.UpdateOptions{})
	s.must(err)
}
