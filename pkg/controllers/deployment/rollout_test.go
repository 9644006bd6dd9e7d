// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestRollout(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 3, annotate("note", "one"), annotate("kubectl.kubernetes.io/last-applied-configuration", "{}")))
	d := w.completed("web")
	first := w.sized("web", map[string]int32{"v1": 3})["v1"]

	t.Run("the first ReplicaSet", func(t *testing.T) {
		hash := first.Labels["pod-template-hash"]
		want := map[string]string{"app": "web", "pod-template-hash": hash}
		if first.Name != "web-"+hash {
			t.Errorf("name %s, hash %q", first.Name, hash)
		}
		for what, got := range map[string]map[string]string{
			"labels": first.Labels, "selector": first.Spec.Selector.MatchLabels, "template": first.Spec.Template.Labels,
		} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
		}
		if diff := cmp.Diff(map[string]string{"note": "one", revision: "1", desiredReplicas: "3", maxReplicas: "4"}, first.Annotations); diff != "" {
			t.Error(diff)
		}
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled up replica set "+first.Name+" from 0 to 3")
	})

	t.Run("the status", func(t *testing.T) {
		conditions := d.Status.Conditions
		d.Status.Conditions = nil
		if diff := cmp.Diff(appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, TerminatingReplicas: ptr.To(int32(0)),
		}, d.Status); diff != "" {
			t.Error(diff)
		}
		var got []string
		for _, c := range conditions {
			got = append(got, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
		if diff := cmp.Diff([]string{
			"Available True MinimumReplicasAvailable: Deployment has minimum availability.",
			fmt.Sprintf("Progressing True NewReplicaSetAvailable: ReplicaSet %q has successfully progressed.", first.Name),
		}, got); diff != "" {
			t.Error(diff)
		}
		if d.Annotations[revision] != "1" || d.Generation != 1 {
			t.Errorf("revision %s, generation %d", d.Annotations[revision], d.Generation)
		}
	})

	t.Run("nothing to do, nothing written", func(t *testing.T) {
		before := w.get("web")
		w.setStatus(first.Name, func(rs *appsv1.ReplicaSet) { rs.Status.FullyLabeledReplicas = 1 })
		w.settled()
		if now := w.get("web"); now.ResourceVersion != before.ResourceVersion {
			t.Error(cmp.Diff(before, now))
		}
	})

	t.Run("another template", func(t *testing.T) {
		w.change("web", setImage("v2"))
		d := w.completed("web")
		sets := w.sized("web", map[string]int32{"v1": 0, "v2": 3})
		if d.Annotations[revision] != "2" || sets["v2"].Annotations[revision] != "2" || sets["v1"].Annotations[revision] != "1" {
			t.Errorf("revisions %s, %s, %s", d.Annotations[revision], sets["v2"].Annotations[revision], sets["v1"].Annotations[revision])
		}
		// With surge 1 and none missing, one by one; the sizes only ever move
		// in one direction.
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled up replica set "+sets["v2"].Name+" from 0 to 1")
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled up replica set "+sets["v2"].Name+" from 2 to 3")
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled down replica set "+first.Name+" from 3 to 2")
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled down replica set "+first.Name+" from 1 to 0")
	})

	t.Run("annotations and minReadySeconds need no new ReplicaSet", func(t *testing.T) {
		w.change("web", annotate("note", "two"), func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 1 })
		w.until("web", func(*appsv1.Deployment) error {
			if rs := w.sets("web")["v2"]; rs.Annotations["note"] != "two" || rs.Spec.MinReadySeconds != 1 || rs.Annotations[revision] != "2" {
				return fmt.Errorf("annotations %v, minReadySeconds %d", rs.Annotations, rs.Spec.MinReadySeconds)
			}
			return nil
		})
		if n := len(w.sets("web")); n != 2 {
			t.Errorf("%d ReplicaSets", n)
		}
	})

	t.Run("scaled", func(t *testing.T) {
		w.change("web", setReplicas(5))
		w.completed("web")
		rs := w.sized("web", map[string]int32{"v1": 0, "v2": 5})["v2"]
		if rs.Annotations[desiredReplicas] != "5" || rs.Annotations[maxReplicas] != "7" {
			t.Errorf("marks %v", rs.Annotations)
		}
		w.event("web", "Normal", "ScalingReplicaSet", "Scaled up replica set "+rs.Name+" from 3 to 5")
	})

	t.Run("deleted, it is left to the garbage collector", func(t *testing.T) {
		w.Within(t).Must(w.Admin.AppsV1().Deployments(w.NS).Delete(t.Context(), "web", metav1.DeleteOptions{}))
		w.settled()
		if n := len(w.sets("web")); n != 2 {
			t.Errorf("%d ReplicaSets", n)
		}
	})
}

// TestStepByStep plays a rollout by hand, to see that no step goes too far.
func TestStepByStep(t *testing.T) {
	w := newWorld(t)
	w.create(object("web", 10, setSurge(2, 2)))
	w.setStatus(w.sized("web", map[string]int32{"v1": 10})["v1"].Name, nil)
	w.completed("web")

	w.change("web", setImage("v2"))
	sets := w.sized("web", map[string]int32{"v1": 8, "v2": 4}) // 12 in all
	w.setStatus(sets["v1"].Name, nil)
	w.setStatus(sets["v2"].Name, func(rs *appsv1.ReplicaSet) { rs.Status.AvailableReplicas, rs.Status.ReadyReplicas = 0, 0 })
	w.until("web", func(d *appsv1.Deployment) error {
		if d.Status.Replicas != 12 || d.Status.UnavailableReplicas != 4 {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})
	w.sized("web", map[string]int32{"v1": 8, "v2": 4}) // nothing moves while they start
	w.setStatus(sets["v2"].Name, nil)
	sets = w.sized("web", map[string]int32{"v1": 4, "v2": 8})
	w.setStatus(sets["v1"].Name, nil)
	w.setStatus(sets["v2"].Name, nil)
	sets = w.sized("web", map[string]int32{"v1": 0, "v2": 10})
	w.setStatus(sets["v1"].Name, nil)
	w.setStatus(sets["v2"].Name, nil)
	w.completed("web")
}

func TestLongName(t *testing.T) {
	w := newWorld(t)
	w.play()
	name := strings.Repeat("d", 250)
	d := object(name, 1)
	d.Spec.Selector.MatchLabels["app"], d.Spec.Template.Labels["app"] = "long", "long"
	w.create(d)
	w.completed(name)
	rs := w.sized(name, map[string]int32{"v1": 1})["v1"]
	if hash := rs.Labels["pod-template-hash"]; len(rs.Name) != 253 || !strings.HasSuffix(rs.Name, "-"+hash) {
		t.Errorf("name of %d characters, hash %s", len(rs.Name), hash)
	}
}

func TestTwoWithOneSelector(t *testing.T) {
	w := newWorld(t)
	w.play()
	same := func(d *appsv1.Deployment) {
		d.Spec.Selector.MatchLabels, d.Spec.Template.Labels = map[string]string{"app": "same"}, map[string]string{"app": "same"}
	}
	w.create(object("one", 1, same))
	w.create(object("two", 1, same))
	w.completed("one")
	w.completed("two")
	w.settled()
	one, two := w.sets("one")["v1"], w.sets("two")["v1"]
	if one == nil || two == nil || one.UID == two.UID {
		t.Errorf("one has %v, two has %v", one, two)
	}
}
