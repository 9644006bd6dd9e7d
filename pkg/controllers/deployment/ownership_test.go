// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestCollision changes the template of a ReplicaSet, whose name then belongs to
// a template it no longer has.
func TestCollision(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 1))
	w.completed("web")
	first := w.sized("web", map[string]int32{"v1": 1})["v1"]
	w.patch(first.Name, `{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7, "containers": [{"name": "web", "image": "edited"}]}}}}`)
	d := w.completed("web")
	w.until("web", func(now *appsv1.Deployment) error {
		if d = now; ptr.Deref(d.Status.CollisionCount, 0) != 1 || d.Annotations[revision] != "2" {
			return fmt.Errorf("collisions %v, revision %s", d.Status.CollisionCount, d.Annotations[revision])
		}
		return nil
	})
	second := w.sized("web", map[string]int32{"edited": 0, "v1": 1})["v1"]
	if second.Name == first.Name || second.Annotations[revision] != "2" {
		t.Errorf("names %s and %s, revision %s", first.Name, second.Name, second.Annotations[revision])
	}
}

func TestRelabelled(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 1))
	w.completed("web")
	first := w.sized("web", map[string]int32{"v1": 1})["v1"]
	owner := func() string {
		rs, err := w.Admin.AppsV1().ReplicaSets(w.NS).Get(t.Context(), first.Name, metav1.GetOptions{})
		w.Must(err)
		if ref := metav1.GetControllerOf(rs); ref != nil {
			return ref.Name
		}
		return ""
	}
	w.patch(first.Name, `{"metadata": {"labels": {"app": "other"}}}`)
	w.Eventually(func() error {
		if rs := w.sets("web")["v1"]; rs == nil || rs.UID == first.UID || owner() != "" {
			return fmt.Errorf("the Deployment has %v, the old one is owned by %q", rs, owner())
		}
		return nil
	})
	if d := w.completed("web"); ptr.Deref(d.Status.CollisionCount, 0) != 1 {
		t.Errorf("%d collisions", ptr.Deref(d.Status.CollisionCount, 0))
	}

	w.patch(first.Name, `{"metadata": {"labels": {"app": "web"}}}`)
	w.Eventually(func() error {
		if got := owner(); got != "web" {
			return fmt.Errorf("owned by %q", got)
		}
		return nil
	})
	// Of the two with the template one has the replicas, and keeps them.
	w.Eventually(func() error {
		all, err := w.Admin.AppsV1().ReplicaSets(w.NS).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		var sizes []int32
		for _, rs := range all.Items {
			sizes = append(sizes, *rs.Spec.Replicas)
		}
		if len(sizes) != 2 || sizes[0]+sizes[1] != 1 {
			return fmt.Errorf("sizes %v", sizes)
		}
		return nil
	})
	w.completed("web")
}

// TestAdoption takes over a ReplicaSet that was there before.
func TestAdoption(t *testing.T) {
	w := newWorld(t)
	w.play()
	labels := map[string]string{"app": "web"}
	orphan, err := w.Admin.AppsV1().ReplicaSets(w.NS).Create(t.Context(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "handmade", Labels: labels},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: ptr.To(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: object("web", 1).Spec.Template,
		},
	}, metav1.CreateOptions{})
	w.Must(err)
	w.create(object("web", 2))
	w.completed("web")
	d := w.until("web", func(d *appsv1.Deployment) error {
		if d.Annotations[revision] != "1" {
			return fmt.Errorf("annotations %v", d.Annotations)
		}
		return nil
	})
	rs := w.sized("web", map[string]int32{"v1": 2})["v1"]
	if rs.UID != orphan.UID || rs.Annotations[revision] != "1" {
		t.Errorf("ReplicaSet %s %v", rs.Name, rs.Annotations)
	}
	ref := metav1.GetControllerOf(rs)
	if !*ref.BlockOwnerDeletion || ref.APIVersion != "apps/v1" || ref.UID != d.UID {
		t.Errorf("reference %+v", ref)
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 1, func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = ptr.To(int32(1)) }))
	w.completed("web")
	for _, v := range []string{"v2", "v3"} {
		w.change("web", setImage(v))
		w.completed("web")
	}
	w.sized("web", map[string]int32{"v2": 0, "v3": 1})
	w.change("web", setPaused(true), func(d *appsv1.Deployment) { d.Spec.RevisionHistoryLimit = ptr.To(int32(0)) })
	w.sized("web", map[string]int32{"v3": 1})
}

// TestBeingDeleted keeps the status of a Deployment that a finalizer holds, and
// does nothing else.
func TestBeingDeleted(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 2, func(d *appsv1.Deployment) { d.Finalizers = []string{"example.com/hold"} }))
	rs := w.sized("web", map[string]int32{"v1": 2})["v1"]
	w.until("web", observed)
	w.Must(w.Admin.AppsV1().Deployments(w.NS).Delete(t.Context(), "web", metav1.DeleteOptions{}))
	w.change("web", setImage("v2"), setReplicas(5))
	w.setStatus(rs.Name, nil)
	w.until("web", func(d *appsv1.Deployment) error {
		if d.Status.Replicas != 2 || d.Status.ObservedGeneration != d.Generation {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})
	w.settled()
	w.sized("web", map[string]int32{"v1": 2})
	w.change("web", func(d *appsv1.Deployment) { d.Finalizers = nil })
}
