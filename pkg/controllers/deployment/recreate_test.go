// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func setRecreate(d *appsv1.Deployment) {
	d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
}

// TestRecreate has pods of its own making, so that each of their ends is in its
// hands.
func TestRecreate(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 2, setRecreate))
	rs := w.sized("web", map[string]int32{"v1": 2})["v1"]
	w.setStatus(rs.Name, nil)
	w.completed("web")
	held := w.pod(rs, "held")
	finished := w.pod(rs, "finished")
	finished.Status.Phase = corev1.PodSucceeded
	pods := w.Admin.CoreV1().Pods(w.NS)
	_, err := pods.UpdateStatus(t.Context(), finished, metav1.UpdateOptions{})
	w.Must(err)

	w.change("web", setImage("v2"))
	w.sized("web", map[string]int32{"v1": 0})
	w.Must(pods.Delete(t.Context(), held.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(0))}))
	w.setStatus(rs.Name, func(rs *appsv1.ReplicaSet) { rs.Status.TerminatingReplicas = ptr.To(int32(6)) })
	w.until("web", func(d *appsv1.Deployment) error {
		if d.Status.Replicas != 0 || ptr.Deref(d.Status.TerminatingReplicas, -1) != 6 {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})
	w.settled()
	w.sized("web", map[string]int32{"v1": 0}) // the deleted pod still runs

	_, err = pods.Patch(t.Context(), held.Name, types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
	w.Must(err)
	next := w.sized("web", map[string]int32{"v1": 0, "v2": 2})["v2"]
	w.event("web", "Normal", "ScalingReplicaSet", "Scaled up replica set "+next.Name+" from 0 to 2")
	w.setStatus(rs.Name, nil)
	w.setStatus(next.Name, nil)
	if d := w.completed("web"); *d.Status.TerminatingReplicas != 0 {
		t.Errorf("%d pods are terminating", *d.Status.TerminatingReplicas)
	}
}

// TestRecreateInRollout turns a rolling update that is stuck into Recreate, and
// scales, in one update.
func TestRecreateInRollout(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 4, setSurge(2, 1)))
	w.completed("web")
	w.change("web", setImage(broken))
	w.sized("web", map[string]int32{"v1": 3, broken: 3})
	w.change("web", setRecreate, setReplicas(5))
	w.sized("web", map[string]int32{"v1": 0, broken: 5})
}

// pod is one of a ReplicaSet that a finalizer keeps when it is deleted.
func (w *world) pod(rs *appsv1.ReplicaSet, name string) *corev1.Pod {
	w.T.Helper()
	p, err := w.Admin.CoreV1().Pods(w.NS).Create(w.Ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: rs.Spec.Template.Labels, Finalizers: []string{"example.com/hold"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: rs.Spec.Template.Spec,
	}, metav1.CreateOptions{})
	w.Must(err)
	return p
}
