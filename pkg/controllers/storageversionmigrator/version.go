// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

const (
	// grace is how long after a migration was created its resource may be unknown.
	grace = time.Minute
	// nowhere is a namespace that cannot exist, where a list costs nothing.
	nowhere = "@fake:svm_ns!"
)

// begin writes down how far the resource of a migration has come.
func (c *migrator) begin(ctx context.Context, name string) error {
	m, found := c.migrations.Get("", name)
	if !found || !begins(m) {
		return nil
	}
	s, err := c.directory.find(ctx, m.Spec.Resource)
	switch {
	case errors.Is(err, errUnknown) && c.young(m):
		return controller.RequeueAfter(c.versionPace.When(name))
	case errors.Is(err, errUnknown):
		return c.refuse(ctx, m, "resource does not exist in discovery")
	case err != nil:
		return err
	}
	if why := s.refusal(); why != "" {
		return c.refuse(ctx, m, why)
	}
	version, err := c.latest(ctx, s)
	if err != nil {
		return err
	}
	if _, err := resourceversion.CompareResourceVersion(version, version); err != nil {
		return c.refuse(ctx, m, fmt.Sprintf("latest resourceVersion for %v is not valid: %v", s.resource, err))
	}
	_, err = c.update(ctx, m, func(now *migration) {
		if begins(now) {
			now.Status.ResourceVersion = version
		}
	})
	return err
}

// latest is the version that a resource has reached.
func (c *migrator) latest(ctx context.Context, s served) (string, error) {
	namespace := metav1.NamespaceNone
	if s.Namespaced {
		namespace = nowhere
	}
	list, err := c.metadata.Resource(s.resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return "", err
	}
	return list.ResourceVersion, nil
}

func (c *migrator) young(m *migration) bool { return c.clock.Since(m.CreationTimestamp.Time) < grace }

// refuse ends a migration that cannot begin.
func (c *migrator) refuse(ctx context.Context, m *migration, why string) error {
	c.logger.Info("A migration cannot begin", "migration", m.Name, "reason", why)
	return c.end(ctx, m, failure(why))
}

// end ends a migration, unless it has ended otherwise meanwhile.
func (c *migrator) end(ctx context.Context, m *migration, conditions ...metav1.Condition) error {
	_, err := c.update(ctx, m, func(now *migration) {
		if !ended(now) {
			c.say(now, conditions...)
		}
	})
	return err
}
