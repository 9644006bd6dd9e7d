// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

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

func TestReplicaFailure(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	s.quota("2")
	s.create(set("web", 3))
	testkit.Eventually(t, harness.Timeout, func() error {
		status := s.get("web").Status
		if len(status.Conditions) != 1 || status.Replicas != 2 {
			return fmt.Errorf("status %+v", status)
		}
		c := status.Conditions[0]
		if c.Type != "ReplicaFailure" || c.Status != corev1.ConditionTrue || c.Reason != "FailedCreate" || !strings.Contains(c.Message, "exceeded quota") {
			return fmt.Errorf("condition %+v", c)
		}
		return nil
	})
	testkit.Eventually(t, harness.Timeout, func() error {
		for _, e := range s.events("FailedCreate") {
			if e.Type == corev1.EventTypeWarning && strings.HasPrefix(e.Message, "Error creating: pods ") {
				return nil
			}
		}
		return fmt.Errorf("no event")
	})
	s.scale("web", 2)
	s.settles("web", 2)
}

// A namespace that is going lets no pod in; that is no failure of the set.
func TestClosingNamespace(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	s.create(set("web", 1))
	pods := s.settles("web", 1)
	s.must(s.Admin.CoreV1().Namespaces().Delete(s.ctx, s.ns, metav1.DeleteOptions{}))
	testkit.Eventually(t, harness.Timeout, func() error {
		ns, err := s.Admin.CoreV1().Namespaces().Get(s.ctx, s.ns, metav1.GetOptions{})
		if err == nil && ns.Status.Phase != corev1.NamespaceTerminating {
			return fmt.Errorf("phase %s", ns.Status.Phase)
		}
		return err
	})
	s.deletePod(pods[0].Name, nil)
	s.scale("web", 5)
	s.settles("web", 0) // without a condition
	if e := s.events("FailedCreate"); len(e) > 0 {
		t.Errorf("events %v", e)
	}
}
