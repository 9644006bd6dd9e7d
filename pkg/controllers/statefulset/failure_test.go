// SPDX-License-Identifier: Apache-2.0

package statefulset_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRefusedPods(t *testing.T) {
	s := started(t)
	s.Quota(corev1.ResourcePods, "1")
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
	s.Quota(corev1.ResourcePersistentVolumeClaims, "1")
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
	sets := s.Admin.AppsV1().StatefulSets(s.NS)
	scale, err := sets.GetScale(s.Ctx, "web", metav1.GetOptions{})
	s.Must(err)
	scale.Spec.Replicas = 2
	_, err = sets.UpdateScale(s.Ctx, "web", scale, metav1.UpdateOptions{})
	s.Must(err)
	s.complete("web", 2)
	scale, err = sets.GetScale(s.Ctx, "web", metav1.GetOptions{})
	s.Must(err)
	if scale.Status.Replicas != 2 || scale.Status.Selector != "app=web" {
		t.Errorf("scale %+v", scale.Status)
	}
}
