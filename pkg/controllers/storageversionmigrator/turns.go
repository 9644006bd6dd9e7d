// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/retry"
)

// behind means that the cache has not seen yet to whom a turn was given.
type behind struct{}

func (behind) Error() string { return "the cache of migrations is behind the last write" }

// Expected is for the queue: it is nobody's fault.
func (behind) Expected() bool { return true }

// takeTurns ends the turn of the migrations of a resource that have had theirs,
// and gives it to the next.
func (c *migrator) takeTurns(ctx context.Context, r metav1.GroupResource) error {
	if order, err := resourceversion.CompareResourceVersion(c.migrations.ResourceVersion(), c.written); err == nil && order < 0 {
		return behind{}
	}
	over, next := turns(c.migrations.Migrating(r))
	for _, m := range over {
		if err := c.endTurn(ctx, m); err != nil {
			return err
		}
	}
	if next == nil {
		return nil
	}
	return c.giveTurn(ctx, next)
}

func (c *migrator) endTurn(ctx context.Context, m *migration) error {
	err := c.tellDefinition(ctx, m.Spec.Resource, func(d *definition) *definitionStatus { return d.stopped(succeeded(m), c.clock.Now()) })
	if err != nil {
		return err
	}
	c.written, err = c.update(ctx, m, func(now *migration) { c.say(now, isOver()) })
	return err
}

func (c *migrator) giveTurn(ctx context.Context, m *migration) error {
	err := c.tellDefinition(ctx, m.Spec.Resource, func(d *definition) *definitionStatus { return d.started(m.Name, c.clock.Now()) })
	if err != nil {
		return err
	}
	c.logger.V(2).Info("Starting a migration", "migration", m.Name, "resource", m.Spec.Resource)
	c.written, err = c.update(ctx, m, func(now *migration) {
		if !running(now) && !hadTurn(now) {
			c.say(now, runs(messageRunning))
		}
	})
	return err
}

// say puts conditions into a migration's status.
func (c *migrator) say(m *migration, conditions ...metav1.Condition) {
	for _, said := range conditions {
		said.ObservedGeneration = m.Generation
		said.LastTransitionTime = metav1.NewTime(c.clock.Now())
		meta.SetStatusCondition(&m.Status.Conditions, said)
	}
}

// update writes the status of a migration, which change is given as the cache
// knows it now, and returns the version it has then. Nothing is sent for no change, or
// when the migration is gone.
func (c *migrator) update(ctx context.Context, m *migration, change func(*migration)) (version string, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		cached, found := c.migrations.Get("", m.Name)
		if !found || cached.UID != m.UID {
			return nil
		}
		changed := cached.DeepCopy()
		change(changed)
		if equality.Semantic.DeepEqual(cached.Status, changed.Status) {
			return nil
		}
		written, err := c.client.StoragemigrationV1().StorageVersionMigrations().UpdateStatus(ctx, changed, metav1.UpdateOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			version = written.ResourceVersion
		}
		return err
	})
	return version, err
}
