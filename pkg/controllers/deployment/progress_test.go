// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDeadline(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 2, setDeadline(1), setImage(broken)))
	d := w.progress("web", "ProgressDeadlineExceeded")
	rs := w.sized("web", map[string]int32{broken: 2})[broken]
	c := d.Status.Conditions[len(d.Status.Conditions)-1]
	if c.Status != "False" || c.Message != fmt.Sprintf("ReplicaSet %q has timed out progressing.", rs.Name) {
		t.Errorf("got %+v", c)
	}
	if got := reasonOf(d, appsv1.DeploymentAvailable); got != "MinimumReplicasUnavailable" {
		t.Errorf("available: %s", got)
	}

	t.Run("a pause does not hide it", func(t *testing.T) {
		w.change("web", setPaused(true))
		w.until("web", observed)
		w.progress("web", "ProgressDeadlineExceeded")
		w.change("web", setPaused(false))
	})

	t.Run("late is better than never", func(t *testing.T) {
		w.setStatus(rs.Name, func(rs *appsv1.ReplicaSet) { rs.Status.ReadyReplicas, rs.Status.AvailableReplicas = 2, 2 })
		w.completed("web")
	})

	t.Run("pods lost later miss no deadline", func(t *testing.T) {
		w.setStatus(rs.Name, nil)
		w.until("web", func(d *appsv1.Deployment) error {
			if d.Status.AvailableReplicas != 0 {
				return fmt.Errorf("%d available", d.Status.AvailableReplicas)
			}
			return nil
		})
		w.settled()
		w.progress("web", "NewReplicaSetAvailable")
	})

	t.Run("without a deadline there is no condition", func(t *testing.T) {
		w.change("web", setDeadline(2147483647))
		w.progress("web", "")
		w.change("web", setDeadline(600))
		w.progress("web", "FoundNewReplicaSet")
	})
}

func observed(d *appsv1.Deployment) error {
	if d.Status.ObservedGeneration != d.Generation {
		return fmt.Errorf("generation %d of %d", d.Status.ObservedGeneration, d.Generation)
	}
	return nil
}

func TestReplicaFailureIsPassedOn(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 1))
	rs := w.sized("web", map[string]int32{"v1": 1})["v1"]
	w.setStatus(rs.Name, func(rs *appsv1.ReplicaSet) {
		rs.Status.Replicas, rs.Status.ReadyReplicas, rs.Status.AvailableReplicas = 0, 0, 0
		rs.Status.Conditions = []appsv1.ReplicaSetCondition{{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota", LastTransitionTime: metav1.Now(),
		}}
	})
	w.until("web", func(d *appsv1.Deployment) error {
		if got := reasonOf(d, appsv1.DeploymentReplicaFailure); got != "FailedCreate" {
			return fmt.Errorf("failure %q", got)
		}
		return nil
	})
	w.setStatus(rs.Name, nil)
	if d := w.completed("web"); reasonOf(d, appsv1.DeploymentReplicaFailure) != "" {
		t.Errorf("conditions %+v", d.Status.Conditions)
	}
}

func TestReplicaSetCreateError(t *testing.T) {
	w := newWorld(t)
	w.play()
	quota := w.Quota("count/replicasets.apps", "0")
	w.create(object("web", 1))
	d := w.progress("web", "ReplicaSetCreateError")
	message := ""
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			message = c.Message
		}
	}
	if !strings.HasPrefix(message, `Failed to create new replica set "web-`) || !strings.Contains(message, "exceeded quota: "+quota.Name) {
		t.Errorf("message %s", message)
	}
	w.event("web", "Warning", "ReplicaSetCreateError", message)

	w.Must(w.Admin.CoreV1().ResourceQuotas(w.NS).Delete(w.Ctx, quota.Name, metav1.DeleteOptions{}))
	w.completed("web")
}

// TestTerminatingNamespace finds it no failure that nothing can be created.
func TestTerminatingNamespace(t *testing.T) {
	w := newWorld(t)
	w.run.Stop()
	w.create(object("web", 1))
	w.Terminate()
	w.restart()
	dead := w.NS
	w.NS = w.Namespace()
	w.settled()
	w.NS = dead
	if d := w.get("web"); len(d.Status.Conditions) != 0 || len(w.events("web")) != 0 {
		t.Errorf("conditions %+v, events %v", d.Status.Conditions, w.events("web"))
	}
}
