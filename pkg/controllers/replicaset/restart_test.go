// SPDX-License-Identifier: Apache-2.0

package replicaset_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// A restart in the middle of a scale-up must create no pod twice, and nobody may
// read of a failure.
func TestRestartDuringScaleUp(t *testing.T) {
	const replicas = 50
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	added, err := s.Admin.CoreV1().Pods(s.ns).Watch(s.ctx, metav1.ListOptions{})
	s.must(err)
	defer added.Stop()
	run := h.Start(replicaset.Descriptor(), nil)
	s.create(set("web", replicas))
	created := 0
	for _, until := range []int{3, 10, 20} {
		for created < until {
			if e := <-added.ResultChan(); e.Type == watch.Added {
				created++
			}
		}
		run.Stop()
		run = h.Start(replicaset.Descriptor(), nil)
	}
	s.settles("web", replicas)
	if n := len(s.pods()); n != replicas {
		t.Errorf("%d pods", n)
	}
	s.createPod(orphan("last")) // surplus at once
	for last := false; !last; {
		switch e := <-added.ResultChan(); e.Type {
		case watch.Added:
			if last = nameOf(e) == "last"; !last {
				created++
			}
		case watch.Deleted:
			t.Errorf("%s was deleted", nameOf(e))
		case watch.Error:
			t.Fatal(e.Object)
		}
	}
	if created != replicas {
		t.Errorf("%d pods were created, want %d", created, replicas)
	}
	if e := s.events("FailedCreate"); len(e) > 0 {
		t.Errorf("event %q", e[0].Message)
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		if n := len(s.pods()); n != replicas {
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
