// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
)

func TestCurrentAnnotations(t *testing.T) {
	const history = revisionHistoryAnnotation
	for name, tc := range map[string]struct {
		deployment, replicaSet map[string]string
		revision               int64
		want                   map[string]string
		unknown                bool
	}{
		"shared ones are copied, others stay": {
			deployment: map[string]string{"a": "1", "b": "2"}, replicaSet: map[string]string{revisionAnnotation: "3", "b": "0", "c": "3"}, revision: 3,
			want: map[string]string{revisionAnnotation: "3", "a": "1", "b": "2", "c": "3"},
		},
		"own ones are not copied": {
			deployment: map[string]string{
				"kubectl.kubernetes.io/last-applied-configuration": "{}", revisionAnnotation: "9", history: "1,2",
				desiredReplicasAnnotation: "1", maxReplicasAnnotation: "2", "deprecated.deployment.rollback.to": "1",
			},
			replicaSet: map[string]string{revisionAnnotation: "3"}, revision: 1,
			want: map[string]string{revisionAnnotation: "3"},
		},
		"a first revision has no history": {revision: 2, want: map[string]string{revisionAnnotation: "2"}},
		"a higher one is recorded": {
			replicaSet: map[string]string{revisionAnnotation: "1"}, revision: 3,
			want: map[string]string{revisionAnnotation: "3", history: "1"},
		},
		"and again": {
			replicaSet: map[string]string{revisionAnnotation: "3", history: "1"}, revision: 5,
			want: map[string]string{revisionAnnotation: "5", history: "1,3"},
		},
		"a lower one is not": {
			replicaSet: map[string]string{revisionAnnotation: "7"}, revision: 5,
			want: map[string]string{revisionAnnotation: "7"},
		},
		"no number": {replicaSet: map[string]string{revisionAnnotation: "x"}, revision: 5, unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := rolling(1, 0, 0)
			d.Annotations = tc.deployment
			rs := replicaSet(1, 1, 1)
			rs.Annotations = tc.replicaSet
			got, ok := currentAnnotations(d, rs, tc.revision)
			if ok == tc.unknown {
				t.Fatalf("known: %t", ok)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppendRevision(t *testing.T) {
	for _, tc := range []struct {
		list, revision string
		limit          int
		want           string
	}{
		{"", "1", 10, "1"},
		{"1", "2", 10, "1,2"},
		{"1,2,3", "10", 8, "1,2,3,10"},
		{"1,2,3", "10", 7, "2,3,10"},
		{"1,2,3", "10", 5, "3,10"},
		{"1,2,3", "10", 2, "10"},
		{"1,2,3", "10", 1, "1,2,3"},
	} {
		if got := appendRevision(tc.list, tc.revision, tc.limit); got != tc.want {
			t.Errorf("%q and %q in %d: got %q, want %q", tc.list, tc.revision, tc.limit, got, tc.want)
		}
	}
}

func FuzzAppendRevision(f *testing.F) {
	f.Add("1,2,3", "4", 5)
	f.Add("", "100", 1)
	f.Fuzz(func(t *testing.T, list, revision string, limit int) {
		got := appendRevision(list, revision, limit)
		if list == "" || got == list {
			return
		}
		if len(got) > limit {
			t.Errorf("%q is longer than %d", got, limit)
		}
		if !strings.HasSuffix(list+","+revision, got) {
			t.Errorf("%q is not the end of %q and %q", got, list, revision)
		}
	})
}

func TestRevisions(t *testing.T) {
	of := func(revisions ...string) (all []*appsv1.ReplicaSet) {
		for i, r := range revisions {
			all = append(all, replicaSet(i, 0, 0, annotated(revisionAnnotation, r)))
		}
		return append(all, replicaSet(99, 0, 0))
	}
	for _, tc := range []struct {
		all       []*appsv1.ReplicaSet
		max, last int64
	}{
		{nil, 0, 0},
		{of(), 0, 0},
		{of("1"), 1, 0},
		{of("1", "2"), 2, 1},
		{of("7", "3", "x", "5"), 7, 5},
		{of("x"), 0, 0},
	} {
		if got := maxRevision(tc.all); got != tc.max {
			t.Errorf("max %d, want %d", got, tc.max)
		}
		if got := lastRevision(tc.all); got != tc.last {
			t.Errorf("last %d, want %d", got, tc.last)
		}
	}
}
