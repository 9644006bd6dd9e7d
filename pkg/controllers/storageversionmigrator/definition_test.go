// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// defined is a definition of generation 5 that stores v2 and has stored v1.
func defined(conditions ...metav1.Condition) *definition {
	d := &definition{}
	d.Metadata.Generation = 5
	for _, version := range []string{"v1", "v2"} {
		d.Spec.Versions = append(d.Spec.Versions, struct {
			Name    string `json:"name"`
			Storage bool   `json:"storage"`
		}{version, version == "v2"})
	}
	d.Status = definitionStatus{Conditions: conditions, StoredVersions: []string{"v1", "v2"}}
	return d
}

func storageMigratingIs(s metav1.ConditionStatus, generation int64, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type: "StorageMigrating", Status: s, ObservedGeneration: generation, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(time.Unix(100, 0)),
	}
}

func TestDefinitionStarted(t *testing.T) {
	want := storageMigratingIs("True", 5, "MigrationRunning", "Migration m is running")
	other := want
	other.Message = "Migration n is running"
	former := want
	former.ObservedGeneration = 4
	established := metav1.Condition{Type: "Established", Status: "True", ObservedGeneration: 5, Message: want.Message}
	for name, tc := range map[string]struct {
		before *definition
		silent bool
	}{
		"for the first time":    {before: defined(established)},
		"told already":          {before: defined(established, want), silent: true},
		"another is said to be": {before: defined(other)},
		"the definition is new": {before: defined(former)},
		"after another":         {before: defined(storageMigratingIs("False", 5, "MigrationSucceeded", "x"))},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.before.started("m", time.Unix(100, 0))
			if tc.silent {
				if got != nil {
					t.Errorf("got %v, want nothing", got)
				}
				return
			}
			if diff := cmp.Diff(&definitionStatus{Conditions: []metav1.Condition{want}, StoredVersions: []string{"v1", "v2"}}, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefinitionStopped(t *testing.T) {
	runs := func(generation int64) metav1.Condition {
		return storageMigratingIs("True", generation, "MigrationRunning", "Migration m is running")
	}
	all := []string{"v1", "v2"}
	for name, tc := range map[string]struct {
		before  *definition
		ok      bool
		reason  string // empty: nothing is told
		message string
		stored  []string
	}{
		"success": {
			before: defined(runs(5)), ok: true, reason: "MigrationSucceeded", stored: []string{"v2"},
			message: "The migration has succeeded and the stored versions have been updated",
		},
		"success, changed meanwhile": {
			before: defined(runs(4)), ok: true, reason: "MigrationSucceeded", stored: all,
			message: "The migration has succeeded but the stored versions have not been updated due to a generation mismatch",
		},
		"success, created meanwhile": {
			before: defined(), ok: true, reason: "MigrationSucceeded", stored: all,
			message: "The migration has succeeded but the stored versions have not been updated due to a generation mismatch",
		},
		"failure":                    {before: defined(runs(5)), reason: "MigrationFailed", message: "The migration has failed", stored: []string{"v2"}},
		"failure, changed meanwhile": {before: defined(runs(4)), reason: "MigrationFailed", message: "The migration has failed", stored: all},
		// The condition of the first try has today's generation, although the
		// objects were rewritten for another.
		"told already": {before: defined(storageMigratingIs("False", 5, "MigrationSucceeded", "x")), ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.before.stopped(tc.ok, time.Unix(100, 0))
			if tc.reason == "" {
				if got != nil {
					t.Errorf("got %v, want nothing", got)
				}
				return
			}
			want := &definitionStatus{Conditions: []metav1.Condition{storageMigratingIs("False", 5, tc.reason, tc.message)}, StoredVersions: tc.stored}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}
