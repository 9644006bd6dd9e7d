// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestReplicaFailure(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(replicaset.Descriptor(), nil)
	s := newScene(t, h)
	s.Quota(corev1.ResourcePods, "2")
	s.create(set("web", 3))
	s.Eventually(func() error {
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
	s.Eventually(func() error {
		for _, e := range s.Events("reason=FailedCreate") {
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
	s.Terminate()
	s.DeletePod(pods[0].Name)
	s.scale("web", 5)
	s.settles("web", 0) // without a condition
	if e := s.Events("reason=FailedCreate"); len(e) > 0 {
		t.Errorf("events %v", e)
	}
}
