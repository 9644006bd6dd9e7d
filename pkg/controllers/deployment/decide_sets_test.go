// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestSplit(t *testing.T) {
	wanted := template("v7")
	split := func(all []*appsv1.ReplicaSet) *sets {
		return split(all, func(rs *appsv1.ReplicaSet) bool { return sameTemplate(&wanted, &rs.Spec.Template) })
	}
	same := func(hash string) func(*appsv1.ReplicaSet) {
		return func(rs *appsv1.ReplicaSet) {
			rs.Spec.Template = template("v7")
			rs.Spec.Template.Labels["pod-template-hash"] = hash
		}
	}
	s := split(list(replicaSet(4, 1, 1), replicaSet(3, 1, 1, same("c")), replicaSet(2, 1, 1, same("b")), replicaSet(1, 1, 1)))
	if s.current == nil || s.current.Name != "rs-2" {
		t.Errorf("current is %v, want the oldest with the template", s.current)
	}
	var old []string
	for _, rs := range s.old {
		old = append(old, rs.Name)
	}
	if diff := cmp.Diff([]string{"rs-1", "rs-3", "rs-4"}, old); diff != "" {
		t.Error(diff)
	}
	if s := split(list(replicaSet(1, 1, 1))); s.current != nil {
		t.Errorf("current is %v, want none", s.current)
	}
	twins := list(replicaSet(5, 1, 1, same("x"), func(rs *appsv1.ReplicaSet) { rs.Name = "b" }), replicaSet(5, 1, 1, same("y"), func(rs *appsv1.ReplicaSet) { rs.Name = "a" }))
	if s := split(twins); s.current.Name != "a" {
		t.Errorf("current is %s, want the first by name", s.current.Name)
	}
}

func TestPodsRunning(t *testing.T) {
	pod := func(phase corev1.PodPhase, deleting bool) *corev1.Pod {
		p := &corev1.Pod{Status: corev1.PodStatus{Phase: phase}}
		if deleting {
			p.DeletionTimestamp = &metav1.Time{Time: epoch()}
		}
		return p
	}
	for _, tc := range []struct {
		existing int32
		pods     []*corev1.Pod
		want     bool
	}{
		{0, nil, false},
		{1, nil, true},
		{0, []*corev1.Pod{pod(corev1.PodSucceeded, false), pod(corev1.PodFailed, false)}, false},
		{0, []*corev1.Pod{pod(corev1.PodFailed, false), pod(corev1.PodRunning, true)}, true},
		{0, []*corev1.Pod{pod(corev1.PodUnknown, false)}, true},
		{0, []*corev1.Pod{pod("", false)}, true},
	} {
		old := replicaSet(1, 0, 0)
		old.Status.Replicas = tc.existing
		if got := podsRunning(list(old), tc.pods); got != tc.want {
			t.Errorf("%+v: got %t", tc, got)
		}
	}
}

func TestNewReplicaSet(t *testing.T) {
	d := rolling(10, 2, 0)
	d.Annotations = map[string]string{"note": "x", revisionAnnotation: "4"}
	d.Spec.MinReadySeconds = 7
	old := list(replicaSet(1, 5, 5, revised(4)))
	rs := newReplicaSet(d, old, 5)
	hash := rs.Labels["pod-template-hash"]
	if hash == "" || rs.Name != "web-"+hash {
		t.Errorf("name %s, hash %s", rs.Name, hash)
	}
	labelled := map[string]string{"app": "web", "pod-template-hash": hash}
	for what, got := range map[string]map[string]string{"labels": rs.Labels, "selector": rs.Spec.Selector.MatchLabels, "template": rs.Spec.Template.Labels} {
		if diff := cmp.Diff(labelled, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{
		"note": "x", revisionAnnotation: "5", desiredReplicasAnnotation: "10", maxReplicasAnnotation: "12",
	}, rs.Annotations); diff != "" {
		t.Error(diff)
	}
	if *rs.Spec.Replicas != 7 || rs.Spec.MinReadySeconds != 7 {
		t.Errorf("%d replicas, %d s", *rs.Spec.Replicas, rs.Spec.MinReadySeconds)
	}
	if !sameTemplate(&d.Spec.Template, &rs.Spec.Template) || len(d.Spec.Template.Labels) != 1 || len(d.Spec.Selector.MatchLabels) != 1 {
		t.Error("the template changed")
	}
	if diff := cmp.Diff([]metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "d-1", Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
	}}, rs.OwnerReferences); diff != "" {
		t.Error(diff)
	}
	d.Status.CollisionCount = ptr.To(int32(0))
	if again := newReplicaSet(d, old, 5); again.Name == rs.Name {
		t.Error("a collision count changes nothing")
	}
}

func TestReplicaSetName(t *testing.T) {
	for _, tc := range []struct{ deployment, hash, want string }{
		{"web", "abc", "web-abc"},
		{strings.Repeat("d", 242), "0123456789", strings.Repeat("d", 242) + "-0123456789"},
		{strings.Repeat("d", 243), "0123456789", strings.Repeat("d", 242) + "-0123456789"},
		{strings.Repeat("d", 253), "012345678", strings.Repeat("d", 243) + "-012345678"},
	} {
		if got := replicaSetName(tc.deployment, tc.hash); got != tc.want {
			t.Errorf("%d characters and %s: got %d", len(tc.deployment), tc.hash, len(got))
		}
	}
}
