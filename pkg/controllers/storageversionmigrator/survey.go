// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

const (
	// pageSize is how many objects are listed at once.
	pageSize = 500
	// listTime is how long objects may fail to be listed.
	listTime = 10 * time.Second
)

// survey lists the objects of a migration that may be old, and how many there are
// in all. It asks the server, not a cache: one that sees nothing happen would learn
// only after a minute that it is not behind the migration's version, and one that
// is bound to a namespace never sees all.
func (c *migrator) survey(ctx context.Context, m *migration, s served) (objects []object, total int, err error) {
	began := c.trials.begin(m.Name)
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := c.metadata.Resource(s.resource).List(ctx, options)
		if err != nil {
			return nil, 0, c.unlisted(ctx, m, began, err)
		}
		// Pages are as old as the first of them.
		order, err := resourceversion.CompareResourceVersion(page.ResourceVersion, m.Status.ResourceVersion)
		switch {
		case err != nil:
			return nil, 0, hopeless(fmt.Sprintf("error comparing resource versions between GC and SVM resource: %v", err))
		case order < 0:
			return nil, 0, controller.RequeueAfter(c.rewritePace.When(m.Name))
		}
		part, err := old(page.Items, m.Status.ResourceVersion)
		if err != nil {
			return nil, 0, hopeless(err.Error())
		}
		objects, total = append(objects, part...), total+len(page.Items)
		if options.Continue = page.Continue; options.Continue == "" {
			c.trials.forget(m.Name)
			return objects, total, nil
		}
	}
}

// unlisted judges why objects could not be listed. It is for good when that has
// been so for a while, the migration is not new, and the server does answer.
func (c *migrator) unlisted(ctx context.Context, m *migration, since time.Time, err error) error {
	c.directory.outdate()
	passes := controller.IsStopping(ctx, err) || client.Unreachable(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsResourceExpired(err)
	if !passes && !c.young(m) && c.clock.Since(since) >= listTime {
		c.logger.Info("The objects of a migration cannot be listed", "migration", m.Name, "err", err)
		// Upstream's own words, for those who look for them.
		return hopeless("resource does not exist in GC: %!w(<nil>)")
	}
	return err
}

// trials remember since when migrations try in vain to list their objects.
type trials struct {
	clock clock.PassiveClock

	mu    sync.Mutex
	since map[string]time.Time // by the name of the migration
}

func newTrials(c clock.PassiveClock) *trials {
	return &trials{clock: c, since: map[string]time.Time{}}
}

// begin is when the first of the trials in vain began, or this one.
func (t *trials) begin(name string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, found := t.since[name]; !found {
		t.since[name] = t.clock.Now()
	}
	return t.since[name]
}

func (t *trials) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.since, name)
}
