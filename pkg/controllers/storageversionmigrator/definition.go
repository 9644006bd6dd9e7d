// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/retry"
)

// definition is what the migrator reads of a CustomResourceDefinition.
type definition struct {
	Metadata struct {
		Generation int64 `json:"generation"`
	} `json:"metadata"`
	Spec struct {
		Versions []struct {
			Name    string `json:"name"`
			Storage bool   `json:"storage"`
		} `json:"versions"`
	} `json:"spec"`
	Status definitionStatus `json:"status"`
}

// definitionStatus is also what the migrator writes.
type definitionStatus struct {
	Conditions     []metav1.Condition `json:"conditions,omitempty"`
	StoredVersions []string           `json:"storedVersions,omitempty"`
}

// Parts of the condition of definitions.
const (
	storageMigrating = "StorageMigrating"

	reasonDefinitionSucceeded = "MigrationSucceeded"
	reasonDefinitionFailed    = "MigrationFailed"

	messageUpdated   = "The migration has succeeded and the stored versions have been updated"
	messageMismatch  = "The migration has succeeded but the stored versions have not been updated due to a generation mismatch"
	messageNotStored = "The migration has failed"
)

// definitionManager owns the fields of definitions that the migrator writes.
const definitionManager = "migration-runner-controller"

func (d *definition) migrating() *metav1.Condition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == storageMigrating {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

// started is what a definition says while a migration runs; nil when it says that
// already.
func (d *definition) started(name string, now time.Time) *definitionStatus {
	message := fmt.Sprintf("Migration %s is running", name)
	c := d.migrating()
	if c != nil && c.Status == metav1.ConditionTrue && c.Message == message && c.ObservedGeneration == d.Metadata.Generation {
		return nil
	}
	return d.says(metav1.ConditionTrue, reasonRunning, message, now)
}

// stopped is what a definition says after a migration; nil when it says already
// that none runs.
//
// Only the definition that was there when the migration began is proof of what
// is stored now. That a migration has failed is not asked, as upstream.
func (d *definition) stopped(ok bool, now time.Time) *definitionStatus {
	c := d.migrating()
	if c != nil && c.Status == metav1.ConditionFalse {
		return nil // by an earlier try, whose generation proves nothing
	}
	same := c != nil && c.ObservedGeneration == d.Metadata.Generation
	reason, message := reasonDefinitionSucceeded, messageUpdated
	switch {
	case !ok:
		reason, message = reasonDefinitionFailed, messageNotStored
	case !same:
		message = messageMismatch
	}
	status := d.says(metav1.ConditionFalse, reason, message, now)
	if stored := d.storage(); same && stored != "" {
		status.StoredVersions = []string{stored}
	}
	return status
}

// says is the part of a status that the migrator owns. The stored versions are
// always in it: what an owner of a field leaves out next time is removed.
func (d *definition) says(s metav1.ConditionStatus, reason, message string, now time.Time) *definitionStatus {
	return &definitionStatus{
		Conditions: []metav1.Condition{{
			Type: storageMigrating, Status: s, Reason: reason, Message: message,
			ObservedGeneration: d.Metadata.Generation, LastTransitionTime: metav1.NewTime(now),
		}},
		StoredVersions: d.Status.StoredVersions,
	}
}

// storage is the version in which objects are stored.
func (d *definition) storage() string {
	for _, v := range d.Spec.Versions {
		if v.Storage {
			return v.Name
		}
	}
	return ""
}

// tellDefinition writes what the definition of a resource should say, if the
// resource is a custom one. Nil is nothing new.
func (c *migrator) tellDefinition(ctx context.Context, r metav1.GroupResource, decide func(*definition) *definitionStatus) error {
	if r.Group == "" {
		return nil
	}
	name := r.Resource + "." + r.Group
	definitions := c.dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		o, err := definitions.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		d := &definition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, d); err != nil {
			return err
		}
		status := decide(d)
		if status == nil {
			return nil
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
		if err != nil {
			return err
		}
		told := &unstructured.Unstructured{Object: map[string]any{"status": fields}}
		told.SetGroupVersionKind(o.GroupVersionKind())
		told.SetName(name)
		told.SetResourceVersion(o.GetResourceVersion())
		_, err = definitions.ApplyStatus(ctx, name, told, metav1.ApplyOptions{FieldManager: definitionManager, Force: true})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("definition %s: %w", name, err)
	}
	return nil
}
