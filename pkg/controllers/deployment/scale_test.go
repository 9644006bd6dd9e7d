// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

func TestPause(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 2))
	w.completed("web")

	w.change("web", setPaused(true), setImage("v2"))
	d := w.progress("web", "DeploymentPaused")
	if c := d.Status.Conditions[len(d.Status.Conditions)-1]; c.Status != "Unknown" || c.Message != "Deployment is paused" {
		t.Errorf("got %+v", c)
	}
	w.settled()
	w.sized("web", map[string]int32{"v1": 2})

	w.change("web", setReplicas(4))
	w.sized("web", map[string]int32{"v1": 4})
	w.until("web", func(d *appsv1.Deployment) error {
		if d.Status.Replicas != 4 || d.Status.UpdatedReplicas != 0 || d.Status.ObservedGeneration != d.Generation {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})

	w.change("web", setPaused(false))
	w.completed("web")
	w.sized("web", map[string]int32{"v1": 0, "v2": 4})
}

func TestResumedIsReported(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 1, setPaused(true)))
	w.progress("web", "DeploymentPaused")
	w.change("web", setPaused(false))
	w.sized("web", map[string]int32{"v1": 1})
	w.progress("web", "NewReplicaSetCreated") // resumed came before
}

// TestScalePaused keeps the proportions of a rollout that stands still.
func TestScalePaused(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 5, setSurge(0, 2)))
	w.setStatus(w.sized("web", map[string]int32{"v1": 5})["v1"].Name, nil)
	w.completed("web")
	w.change("web", setImage("v2"))
	w.sized("web", map[string]int32{"v1": 3, "v2": 2})

	w.change("web", setPaused(true), setReplicas(10))
	sets := w.sized("web", map[string]int32{"v1": 6, "v2": 4})
	for _, rs := range sets {
		if rs.Annotations[desiredReplicas] != "10" || rs.Annotations[maxReplicas] != "10" {
			t.Errorf("%s has the marks %v", rs.Name, rs.Annotations)
		}
	}
	w.change("web", setReplicas(0))
	w.sized("web", map[string]int32{"v1": 0, "v2": 0})
}

// TestScaleInRollout has the new ReplicaSet stuck, so that the rollout stays
// between the two.
func TestScaleInRollout(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 10, setSurge(3, 2)))
	w.completed("web")
	w.change("web", setImage(broken))
	w.sized("web", map[string]int32{"v1": 8, broken: 5})

	t.Run("up", func(t *testing.T) {
		w.change("web", setReplicas(30), setSurge(3, 2))
		for _, rs := range w.sized("web", map[string]int32{"v1": 20, broken: 13}) {
			if rs.Annotations[desiredReplicas] != "30" || rs.Annotations[maxReplicas] != "33" {
				t.Errorf("%s has the marks %v", rs.Name, rs.Annotations)
			}
		}
	})

	t.Run("with another image in the same update", func(t *testing.T) {
		w.change("web", setReplicas(10), setImage("v3"))
		w.completed("web")
		for _, rs := range w.sized("web", map[string]int32{"v1": 0, broken: 0, "v3": 10}) {
			if rs.Annotations[desiredReplicas] != "10" {
				t.Errorf("%s has the marks %v", rs.Name, rs.Annotations)
			}
		}
	})
}

// TestSizeWithoutMark has a ReplicaSet that somebody gave the very size to which
// the Deployment is scaled then: the rollout must not wait for a size it has.
func TestSizeWithoutMark(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 2))
	rs := w.sized("web", map[string]int32{"v1": 2})["v1"]
	w.completed("web")
	w.run.Stop()
	w.patch(rs.Name, `{"spec": {"replicas": 3}}`)
	w.change("web", setReplicas(3), setImage("v2"))
	w.restart()
	w.completed("web")
	w.sized("web", map[string]int32{"v1": 0, "v2": 3})
}
