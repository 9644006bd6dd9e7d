// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// quota allows n objects of a kind. Its status is what admission goes by, and
// nobody else writes it here.
func (s *scene) quota(kind corev1.ResourceName, n string) {
	s.t.Helper()
	hard := corev1.ResourceList{kind: resource.MustParse(n)}
	quotas := s.Admin.CoreV1().ResourceQuotas(s.ns)
	q, err := quotas.Create(s.ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}, metav1.CreateOptions{})
	s.must(err)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: corev1.ResourceList{kind: resource.MustParse("0")}}
	_, err = quotas.UpdateStatus(s.ctx, q, metav1.UpdateOptions{})
	s.must(err)
}

func TestRefusedPods(t *testing.T) {
	s := started(t)
	s.quota(corev1.ResourcePods, "1")
	s.create(object("web", 5, parallel))
	s.told(`Warning FailedCreate Create Pod web-2 in StatefulSet web failed error: pods "web-2" is forbidden: exceeded quota`)
	s.has("web-0")
	s.reports("web", numbers{1, 0, 0, 1, 1}) // though the sync failed
	for _, e := range s.events() {
		if strings.Contains(e, "web-3") || strings.Contains(e, "web-4") {
			t.Errorf("tried after a failure: %s", e)
		}
	}
	s.change("web", scaled(1))
	s.ready("web-0")
	s.complete("web", 1)
}

func TestRefusedClaims(t *testing.T) {
	s := started(t)
	s.quota(corev1.ResourcePersistentVolumeClaims, "1")
	s.create(object("web", 2, claims("Retain", "Retain")))
	s.ready("web-0")
	const why = `persistentvolumeclaims "data-web-1" is forbidden: exceeded quota`
	s.told("Warning FailedCreate Create Claim data-web-1 for Pod web-1 in StatefulSet web failed error: " + why)
	s.told("Warning FailedCreate Create Pod web-1 in StatefulSet web failed error: failed to create PVC data-web-1: " + why)
	s.has("web-0")
	s.reports("web", all(1))
}

func TestScaleSubresource(t *testing.T) {
	s := started(t)
	s.play()
	s.create(object("web", 1))
	s.complete("web", 1)
	sets := s.Admin.AppsV1().StatefulSets(s.ns)
	scale, err := sets.GetScale(s.ctx, "web", metav1.GetOptions{})
	s.must(err)
	scale.Spec.Replicas = 2
	_, err = sets.UpdateScale(s.ctx, "web", scale, metav1.UpdateOptions{})
	s.must(err)
	s.complete("web", 2)
	scale, err = sets.GetScale(s.ctx, "web", metav1.GetOptions{})
	s.must(err)
	if scale.Status.Replicas != 2 || scale.Status.Selector != "app=web" {
		t.Errorf("scale %+v", scale.Status)
	}
}
