// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// TestRestarts stops and starts the controller all through a rollout, on warm
// caches. Each version must have one ReplicaSet in the end, and no collision.
func TestRestarts(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 10, setSurge(1, 0)))
	for i := range 5 {
		w.change("web", setImage(fmt.Sprintf("v%d", i)))
		w.restart()
		w.restart()
	}
	d := w.completed("web")
	if d.Status.CollisionCount != nil {
		t.Errorf("%d collisions", *d.Status.CollisionCount)
	}
	all, err := w.Admin.AppsV1().ReplicaSets(w.NS).List(t.Context(), metav1.ListOptions{})
	w.Must(err)
	if n := len(w.sets("web")); n != len(all.Items) {
		t.Errorf("%d ReplicaSets of %d versions", len(all.Items), n)
	}
}

// TestDeadlineWhileStopped is counted from the last progress, not from the start
// of the controller.
func TestDeadlineWhileStopped(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 1))
	d := w.progress("web", "NewReplicaSetCreated")
	w.run.Stop()
	for i := range d.Status.Conditions {
		d.Status.Conditions[i].LastUpdateTime = metav1.NewTime(time.Now().Add(-time.Hour))
	}
	w.Eventually(func() error {
		d.ResourceVersion = w.get("web").ResourceVersion
		_, err := w.Admin.AppsV1().Deployments(w.NS).UpdateStatus(t.Context(), d, metav1.UpdateOptions{})
		return err
	})
	w.restart()
	w.progress("web", "ProgressDeadlineExceeded")
	if _, found := w.Metric("workqueue_adds_total", map[string]string{"name": "deployment"}); !found {
		t.Error("no metrics of the queue")
	}
	w.run.Stop()
	if _, found := w.Metric("workqueue_adds_total", map[string]string{"name": "deployment"}); found {
		t.Error("a stopped controller still has metrics")
	}
}

func TestWithoutTerminatingReplicas(t *testing.T) {
	w := newWorld(t)
	w.play()
	gates, err := feature.Resolve(map[string]bool{string(feature.DeploymentReplicaSetTerminatingReplicas): false})
	w.Must(err)
	w.Kit.Gates = gates
	w.restart()
	w.create(object("web", 1))
	if d := w.completed("web"); d.Status.TerminatingReplicas != nil {
		t.Errorf("%d pods are terminating", *d.Status.TerminatingReplicas)
	}
}
