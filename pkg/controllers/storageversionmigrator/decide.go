// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"cmp"
	"fmt"
	"slices"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Reasons and messages of a migration's conditions.
const (
	reasonRunning   = "MigrationRunning"
	reasonCompleted = "MigrationCompleted"
	reasonSucceeded = "StorageVersionMigrationSucceeded"
	reasonFailed    = "StorageVersionMigrationFailed"

	messageRunning   = "The migration is running"
	messageCompleted = "Migration completed"
)

func is(m *migration, t storagemigrationv1.MigrationConditionType) bool {
	return meta.IsStatusConditionTrue(m.Status.Conditions, string(t))
}

func running(m *migration) bool { return is(m, storagemigrationv1.MigrationRunning) }

func succeeded(m *migration) bool { return is(m, storagemigrationv1.MigrationSucceeded) }

func ended(m *migration) bool { return succeeded(m) || is(m, storagemigrationv1.MigrationFailed) }

// begins says whether a migration runs that does not know yet how far the
// resource has come.
func begins(m *migration) bool { return running(m) && !ended(m) && m.Status.ResourceVersion == "" }

// rewrites says whether a migration knows what it has to rewrite.
func rewrites(m *migration) bool { return !ended(m) && m.Status.ResourceVersion != "" }

// turns are the migrations of one resource that have had their turn, and the one
// whose turn it is, or nil.
func turns(all []*migration) (over []*migration, next *migration) {
	var waiting []*migration
	busy := false
	for _, m := range all {
		switch {
		case running(m) && ended(m):
			over = append(over, m)
		case running(m):
			busy = true
		case !ended(m) && !hadTurn(m):
			waiting = append(waiting, m)
		}
	}
	if busy || len(waiting) == 0 {
		return over, nil
	}
	return over, slices.MinFunc(waiting, func(a, b *migration) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

// hadTurn says whether a migration has run. Without an end somebody must have
// removed that; it must not keep others from running.
func hadTurn(m *migration) bool {
	c := meta.FindStatusCondition(m.Status.Conditions, string(storagemigrationv1.MigrationRunning))
	return c != nil && c.Status == metav1.ConditionFalse
}

func condition(t storagemigrationv1.MigrationConditionType, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: string(t), Status: status, Reason: reason, Message: message}
}

func runs(message string) metav1.Condition {
	return condition(storagemigrationv1.MigrationRunning, metav1.ConditionTrue, reasonRunning, message)
}

func isOver() metav1.Condition {
	return condition(storagemigrationv1.MigrationRunning, metav1.ConditionFalse, reasonCompleted, messageCompleted)
}

func success() metav1.Condition {
	return condition(storagemigrationv1.MigrationSucceeded, metav1.ConditionTrue, reasonSucceeded, messageCompleted)
}

func failure(message string) metav1.Condition {
	return condition(storagemigrationv1.MigrationFailed, metav1.ConditionTrue, reasonFailed, message)
}

// progress is how many objects are left to rewrite, of all that there are.
type progress struct{ left, total int }

// String is part of fmt.Stringer.
func (p progress) String() string {
	switch {
	case p.total == 0:
		return messageRunning
	case p.left > 0:
		return fmt.Sprintf("%s, %d/%d objects not yet migrated", messageRunning, p.left, p.total)
	}
	return fmt.Sprintf("%s, %d objects verified migrated", messageRunning, p.total)
}

// object is where an object is, and in which version it was seen.
type object struct{ namespace, name, version string }

// old are the objects that may have been written before a version of their
// resource. Those that are younger were written in today's form.
func old(all []metav1.PartialObjectMetadata, version string) ([]object, error) {
	var list []object
	for i := range all {
		o := object{all[i].Namespace, all[i].Name, all[i].ResourceVersion}
		order, err := resourceversion.CompareResourceVersion(o.version, version)
		if err != nil {
			return nil, fmt.Errorf("error comparing resource versions of %s/%s: %w", o.namespace, o.name, err)
		}
		if order <= 0 {
			list = append(list, o)
		}
	}
	return list, nil
}
