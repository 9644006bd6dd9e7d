// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func (s *scene) orphan(name string, labels map[string]string) *corev1.Pod {
	s.T.Helper()
	pod, err := s.Admin.CoreV1().Pods(s.NS).Create(s.Ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: podSpec()}, metav1.CreateOptions{})
	s.Must(err)
	return pod
}

func TestAdoption(t *testing.T) {
	s := started(t)
	right := s.orphan("web-1", labelsOf("web"))
	s.orphan("web-x", labelsOf("web"))
	s.orphan("other-0", labelsOf("web"))
	s.orphan("web-0-0", labelsOf("web"))
	set := s.create(object("web", 2, strategy(appsv1.OnDeleteStatefulSetStrategyType)))
	s.ready("web-0")
	// Adopted, and given its name, when its turn comes.
	s.ready("web-1")
	s.Eventually(func() error {
		pod := s.Pod("web-1")
		if !metav1.IsControlledBy(pod, set) || pod.Labels["statefulset.kubernetes.io/pod-name"] != "web-1" || pod.Labels["apps.kubernetes.io/pod-index"] != "1" {
			return fmt.Errorf("pod %+v", pod.ObjectMeta)
		}
		return nil
	})
	s.told("Normal SuccessfulUpdate Update Pod web-1 in StatefulSet web successful")
	pod := s.Pod("web-1")
	if pod.UID != right.UID || len(pod.Spec.Containers[0].Command) == 0 {
		t.Errorf("another pod, or one that was written trimmed: %+v", pod)
	}
	for _, name := range []string{"web-x", "other-0", "web-0-0"} {
		if refs := s.Pod(name).OwnerReferences; len(refs) > 0 {
			t.Errorf("%s was adopted: %v", name, refs)
		}
	}
	s.reports("web", numbers{2, 2, 2, 1, 1})
	// It is of no revision, so a rolling update replaces it.
	s.play()
	s.change("web", partition(0))
	s.complete("web", 2)
	if s.Pod("web-1").UID == right.UID {
		t.Error("the pod without a revision is still there")
	}
}

func TestRelease(t *testing.T) {
	s := started(t)
	set := s.up(object("web", 2))
	s.LabelPod("web-1", "app", "gone")
	s.Eventually(func() error {
		if refs := s.Pod("web-1").OwnerReferences; len(refs) > 0 {
			return fmt.Errorf("references %v", refs)
		}
		return nil
	})
	s.stays("web-0 web-1") // the name is taken
	s.DeletePod("web-1")
	s.ready("web-1")
	s.complete("web", 2)

	// One with another name does not stay either.
	stray := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "stray", Labels: labelsOf("web"), OwnerReferences: []metav1.OwnerReference{
		*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))}}, Spec: podSpec()}
	s.CreatePod(stray)
	s.Eventually(func() error {
		if refs := s.Pod("stray").OwnerReferences; len(refs) > 0 {
			return fmt.Errorf("references %v", refs)
		}
		return nil
	})
}

func TestSetBeingDeleted(t *testing.T) {
	s := started(t)
	set := object("web", 3)
	set.Finalizers = []string{hold}
	s.up(set)
	s.Must(s.Admin.AppsV1().StatefulSets(s.NS).Delete(s.Ctx, "web", metav1.DeleteOptions{}))
	s.complete("web", 3) // seen with its deletion
	s.DeletePod("web-2")
	s.reports("web", numbers{2, 2, 2, 2, 2})
	s.orphan("web-2", labelsOf("web"))
	s.LabelPod("web-1", "app", "gone")
	s.reports("web", numbers{1, 1, 1, 1, 1})
	if refs := s.Pod("web-1").OwnerReferences; len(refs) != 1 {
		t.Errorf("released: %v", refs)
	}
	if refs := s.Pod("web-2").OwnerReferences; len(refs) != 0 {
		t.Errorf("adopted: %v", refs)
	}
	s.Must(s.Admin.AppsV1().ControllerRevisions(s.NS).DeleteCollection(s.Ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	s.DeletePod("web-0")
	s.reports("web", numbers{})
	s.stays("web-1 web-2")
	if n := len(s.revisions("web")); n != 0 {
		t.Errorf("%d revisions of a set that goes", n)
	}
}

// What a deleted set has left behind goes on under a new one: the test plays the
// garbage collector that orphans.
func TestOrphansFindANewSet(t *testing.T) {
	s := started(t)
	s.up(object("web", 2))
	before := s.pods()
	client := s.Admin.AppsV1().StatefulSets(s.NS)
	s.Must(client.Delete(s.Ctx, "web", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
	for name := range before {
		s.PatchPod(name, `{"metadata":{"ownerReferences":null}}`)
	}
	old := s.revisions("web")
	for _, r := range old {
		_, err := s.Admin.AppsV1().ControllerRevisions(s.NS).Patch(s.Ctx, r.Name, types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`), metav1.PatchOptions{})
		s.Must(err)
	}
	_, err := client.Patch(s.Ctx, "web", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.Must(err)
	s.Eventually(func() error {
		if _, err := client.Get(s.Ctx, "web", metav1.GetOptions{}); err == nil {
			return errNotYet
		}
		return nil
	})
	set := s.create(object("web", 2))
	s.complete("web", 2)
	for name, pod := range s.pods() {
		if pod.UID != before[name].UID || !metav1.IsControlledBy(pod, set) {
			t.Errorf("pod %s: %+v", name, pod.ObjectMeta)
		}
	}
	now := s.revisions("web")
	if len(now) != 1 || now[0].UID != old[0].UID || !metav1.IsControlledBy(&now[0], set) {
		t.Errorf("revisions %+v", now)
	}
}
