// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestExpired(t *testing.T) {
	deleting := func(rs *appsv1.ReplicaSet) { rs.DeletionTimestamp = &metav1.Time{Time: epoch()} }
	busy := func(rs *appsv1.ReplicaSet) { rs.Status.Replicas = 1 }
	behind := func(rs *appsv1.ReplicaSet) { rs.Generation = 2; rs.Status.ObservedGeneration = 1 }
	for name, tc := range map[string]struct {
		limit *int32
		old   []*appsv1.ReplicaSet
		want  []string
	}{
		"the lowest revisions go":     {ptr.To(int32(1)), list(replicaSet(1, 0, 0, revised(3)), replicaSet(2, 0, 0, revised(1)), replicaSet(3, 0, 0, revised(2))), []string{"rs-2", "rs-3"}},
		"one in use uses its slot":    {ptr.To(int32(1)), list(replicaSet(1, 0, 0, revised(1), busy), replicaSet(2, 0, 0, revised(2)), replicaSet(3, 0, 0, revised(3))), []string{"rs-2"}},
		"one with a size stays":       {ptr.To(int32(0)), list(replicaSet(1, 1, 0, revised(1)), replicaSet(2, 0, 0, revised(2))), []string{"rs-2"}},
		"one that is behind stays":    {ptr.To(int32(0)), list(replicaSet(1, 0, 0, behind)), nil},
		"without a revision is first": {ptr.To(int32(1)), list(replicaSet(1, 0, 0, revised(1)), replicaSet(2, 0, 0)), []string{"rs-2"}},
		"equal revisions, by age":     {ptr.To(int32(1)), list(replicaSet(1, 0, 0, revised(1)), replicaSet(2, 0, 0, revised(1))), []string{"rs-1"}},
		"no number, by age":           {ptr.To(int32(1)), list(replicaSet(1, 0, 0, annotated(revisionAnnotation, "x")), replicaSet(2, 0, 0, revised(1))), []string{"rs-1"}},
		"those being deleted are out": {ptr.To(int32(1)), list(replicaSet(1, 0, 0, deleting), replicaSet(2, 0, 0)), nil},
		"limit 0":                     {ptr.To(int32(0)), list(replicaSet(1, 0, 0), replicaSet(2, 0, 0)), []string{"rs-1", "rs-2"}},
		"below the limit":             {ptr.To(int32(2)), list(replicaSet(1, 0, 0), replicaSet(2, 0, 0)), nil},
		"no limit":                    {nil, list(replicaSet(1, 0, 0), replicaSet(2, 0, 0)), nil},
		"infinite":                    {ptr.To(int32(infinite)), list(replicaSet(1, 0, 0), replicaSet(2, 0, 0)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := rolling(1, 0, 0)
			d.Spec.RevisionHistoryLimit = tc.limit
			var got []string
			for _, rs := range expired(d, tc.old) {
				got = append(got, rs.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRollbackTo(t *testing.T) {
	for text, want := range map[string]struct {
		n      int64
		wanted bool
	}{"": {}, "x": {}, "1.5": {}, "0": {0, true}, "12": {12, true}, "-1": {-1, true}} {
		d := rolling(1, 0, 0)
		d.Annotations = map[string]string{rollbackAnnotation: text}
		if n, wanted := rollbackTo(d); wanted != want.wanted || wanted && n != want.n {
			t.Errorf("%q: got %d, %t", text, n, wanted)
		}
	}
}

func TestRestore(t *testing.T) {
	d := rolling(1, 0, 0)
	d.Annotations = map[string]string{"kept": "no", "shared": "new", revisionAnnotation: "2", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
	rs := replicaSet(1, 0, 0, annotated("shared", "old", revisionAnnotation, "1", desiredReplicasAnnotation, "3"))
	rs.Spec.Template.Labels["pod-template-hash"] = "abc"
	restore(d, rs)
	want := rs.Spec.Template.DeepCopy()
	delete(want.Labels, "pod-template-hash")
	if diff := cmp.Diff(*want, d.Spec.Template); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"shared": "old", revisionAnnotation: "2", "kubectl.kubernetes.io/last-applied-configuration": "{}"}, d.Annotations); diff != "" {
		t.Error(diff)
	}
	d.Spec.Template.Spec.Containers[0].Image = "changed"
	if rs.Spec.Template.Spec.Containers[0].Image == "changed" || rs.Spec.Template.Labels["pod-template-hash"] != "abc" {
		t.Error("the ReplicaSet, which is the cache's, was changed")
	}
}
