// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// A restart in the middle of a scale-up must create no pod twice, and nobody may
// read of a failure.
func TestRestartDuringScaleUp(t *testing.T) {
	const replicas = 50
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	created := s.Creations()
	run := h.Start(replicaset.Descriptor(), nil)
	s.create(set("web", replicas))
	for _, until := range []int{3, 10, 20} {
		created.Reach(until)
		run.Stop()
		run = h.Start(replicaset.Descriptor(), nil)
	}
	s.settles("web", replicas)
	if n := len(s.Pods()); n != replicas {
		t.Errorf("%d pods", n)
	}
	s.CreatePod(orphan("last")) // surplus at once
	for last := false; !last; {
		switch e := <-created.ResultChan(); e.Type {
		case watch.Added:
			if last = nameOf(e) == "last"; !last {
				created.Count++
			}
		case watch.Deleted:
			t.Errorf("%s was deleted", nameOf(e))
		case watch.Error:
			t.Fatal(e.Object)
		}
	}
	if created.Count != replicas {
		t.Errorf("%d pods were created, want %d", created.Count, replicas)
	}
	if e := s.Events("reason=FailedCreate"); len(e) > 0 {
		t.Errorf("event %q", e[0].Message)
	}
	s.Eventually(func() error {
		if n := len(s.Pods()); n != replicas {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
}

func nameOf(e watch.Event) string {
	if o, ok := e.Object.(metav1.Object); ok {
		return o.GetName()
	}
	return ""
}
