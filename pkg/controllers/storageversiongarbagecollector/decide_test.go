// SPDX-License-Identifier: Apache-2.0

package storageversiongarbagecollector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// says is what an API server has written: it stores in this version.
func says(server, version string) internalv1alpha1.ServerStorageVersion {
	return internalv1alpha1.ServerStorageVersion{APIServerID: server, EncodingVersion: version, DecodableVersions: []string{version}}
}

func condition(status internalv1alpha1.ConditionStatus, generation, since int64) internalv1alpha1.StorageVersionCondition {
	c := internalv1alpha1.StorageVersionCondition{
		Type: internalv1alpha1.AllEncodingVersionsEqual, Status: status, ObservedGeneration: generation,
		LastTransitionTime: metav1.NewTime(time.Unix(since, 0)),
		Reason:             "CommonEncodingVersionUnset", Message: "Common encoding version unset",
	}
	if status == internalv1alpha1.ConditionTrue {
		c.Reason, c.Message = "CommonEncodingVersionSet", "Common encoding version set"
	}
	return c
}

func TestWithout(t *testing.T) {
	const then, now, generation = 100, 200, 7
	type (
		servers    = []internalv1alpha1.ServerStorageVersion
		conditions = []internalv1alpha1.StorageVersionCondition
		status     = internalv1alpha1.StorageVersionStatus
	)
	foreign := internalv1alpha1.StorageVersionCondition{Type: "Foreign", Status: "True", LastTransitionTime: metav1.NewTime(time.Unix(then, 0))}
	for name, tc := range map[string]struct {
		before, after status
		unchanged     bool
	}{
		"nobody is gone": {
			before:    status{StorageVersions: servers{says("a", "v1"), says("b", "v2")}},
			after:     status{StorageVersions: servers{says("a", "v1"), says("b", "v2")}},
			unchanged: true,
		},
		"nobody has said anything": {unchanged: true},
		"nobody is left": {
			before: status{StorageVersions: servers{says("x", "v1"), says("y", "v1")}, CommonEncodingVersion: new("v1"), Conditions: conditions{condition("True", 1, then)}},
			after:  status{StorageVersions: servers{}, Conditions: conditions{condition("False", generation, now)}},
		},
		"they disagreed": {
			before: status{StorageVersions: servers{says("x", "v1"), says("a", "v2")}, Conditions: conditions{foreign, condition("False", 1, then)}},
			after:  status{StorageVersions: servers{says("a", "v2")}, CommonEncodingVersion: new("v2"), Conditions: conditions{foreign, condition("True", generation, now)}},
		},
		"they agreed": {
			before: status{StorageVersions: servers{says("a", "v1"), says("x", "v1"), says("b", "v1")}, CommonEncodingVersion: new("v1"), Conditions: conditions{condition("True", 1, then)}},
			after:  status{StorageVersions: servers{says("a", "v1"), says("b", "v1")}, CommonEncodingVersion: new("v1"), Conditions: conditions{condition("True", generation, then)}},
		},
		"they disagree still": {
			before: status{StorageVersions: servers{says("a", "v1"), says("b", "v2"), says("x", "v2")}, Conditions: conditions{condition("False", 1, then)}},
			after:  status{StorageVersions: servers{says("a", "v1"), says("b", "v2")}, Conditions: conditions{condition("False", generation, then)}},
		},
		"from one common version to another": {
			before: status{StorageVersions: servers{says("x", "v1"), says("a", "v2")}, CommonEncodingVersion: new("v1"), Conditions: conditions{condition("True", 1, then)}},
			after:  status{StorageVersions: servers{says("a", "v2")}, CommonEncodingVersion: new("v2"), Conditions: conditions{condition("True", generation, now)}},
		},
		"there was no condition": {
			before: status{StorageVersions: servers{says("x", "v1"), says("a", "v1")}},
			after:  status{StorageVersions: servers{says("a", "v1")}, CommonEncodingVersion: new("v1"), Conditions: conditions{condition("True", generation, now)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sv := &internalv1alpha1.StorageVersion{ObjectMeta: metav1.ObjectMeta{Generation: generation}, Status: tc.before}
			original := sv.DeepCopy()
			got, changed := without(sv, func(s string) bool { return s == "x" || s == "y" }, time.Unix(now, 0))
			if changed == tc.unchanged {
				t.Errorf("changed: %v", changed)
			}
			if diff := cmp.Diff(tc.after, got.Status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(original, sv); diff != "" {
				t.Errorf("the object that was given was changed:\n%s", diff)
			}
		})
	}
}
