// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// timing of the monitors.
type timing struct {
	// period is the pause between two looks at what the API serves.
	period time.Duration
	// patience is how long caches may take to fill. One that never does must
	// not keep the others from being used.
	patience time.Duration
}

func usual() timing { return timing{period: 30 * time.Second, patience: 30 * time.Second} }

// syncPoll is how often monitors are looked at while they fill.
const syncPoll = 50 * time.Millisecond

// monitor watches the objects of one resource.
type monitor struct {
	*controller.Attachment
	kind  schema.GroupVersionKind
	since time.Time
	// late monitors have used up the patience, and that was reported.
	late bool
}

// watch follows what the API serves. Workers begin when the first monitors have
// seen all there is, or have had their time: a worker that knew an owner but not
// yet its dependents would let it go without orphaning them.
func (c *collector) watch(ctx context.Context) {
	opened := false
	for ctx.Err() == nil {
		if err := c.follow(); err != nil && !controller.IsStopping(ctx, err) {
			c.failures.Inc()
			c.logger.Error(err, "Monitors do not cover all that the API serves, will retry", "after", c.period)
		}
		if !opened && len(c.monitors) > 0 && c.filled(ctx) && c.drained(ctx) {
			c.logger.V(2).Info("The graph is complete, starting workers", "monitors", len(c.monitors))
			c.gate.Follow(c.workers)
			opened = true
		}
		c.pause(ctx)
	}
}

// pause waits for the next look.
func (c *collector) pause(ctx context.Context) {
	timer := c.clock.NewTimer(c.period)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// filled waits until all monitors have seen all there is, or have had their
// time. It is false when the run ends before that.
func (c *collector) filled(ctx context.Context) bool {
	ticker := c.clock.NewTicker(syncPoll)
	defer ticker.Stop()
	for c.filling(func(schema.GroupVersionResource) bool { return true }) {
		select {
		case <-ticker.C():
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// drained waits until all changes up to now are in the graph. It is false when
// the run ends before that.
func (c *collector) drained(ctx context.Context) bool {
	m := &marker{reached: make(chan struct{})}
	c.changes.Add(m)
	select {
	case <-m.reached:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow makes the monitors those of what the API serves now.
func (c *collector) follow() error {
	// Not torn by a stop: it takes moments, and half an answer is an error in the
	// log.
	s, err := discover(c.Work(), c.discovery)
	if err != nil {
		return err
	}
	c.mapper.Store(&s.mapper)
	if len(s.failed) > 0 {
		c.logger.Info("Discovery failed for some groups, keeping their monitors", "failures", s.failed)
	}
	want := wanted(s, c.ignored, c.synced())
	err = errors.Join(c.join(want), c.overdue())
	c.leave(want)
	return err
}

// join begins to monitor what is not monitored yet.
func (c *collector) join(want resources) (err error) {
	for r, kind := range want {
		if m := c.monitors[r]; m != nil {
			if m.kind == kind {
				continue
			}
			c.detach(r, m) // a custom resource that was defined anew
		}
		err = errors.Join(err, c.attach(r, kind))
	}
	return err
}

// leave ends the monitors of what is not served any more. When others of the
// group are filling, it may be served in another version: then they first see
// the objects, which thus only change their names in the graph.
func (c *collector) leave(want resources) {
	for r, m := range c.monitors {
		_, stays := want[r]
		sibling := func(other schema.GroupVersionResource) bool {
			_, stays := want[other]
			return stays && other.Group == r.Group
		}
		if !stays && !c.filling(sibling) {
			c.detach(r, m)
		}
	}
}

func (c *collector) attach(r schema.GroupVersionResource, kind schema.GroupVersionKind) error {
	mapping, err := (*c.mapper.Load()).RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	a, err := controller.Attach(c.Loop, informer.Any(r, mapping.Scope.Name()), c.handler(kind))
	if err != nil {
		return err
	}
	c.logger.V(5).Info("Monitoring a resource", "resource", r)
	c.monitors[r] = &monitor{Attachment: a, kind: kind, since: c.clock.Now()}
	return nil
}

func (c *collector) detach(r schema.GroupVersionResource, m *monitor) {
	c.logger.V(5).Info("Not monitoring a resource any more", "resource", r)
	m.Detach()
	delete(c.monitors, r)
	apiVersion, kind := m.kind.ToAPIVersionAndKind()
	c.changes.Add(&unserved{apiVersion, kind})
}

// synced are the resources whose objects are all known.
func (c *collector) synced() resources {
	list := resources{}
	for r, m := range c.monitors {
		if m.HasSynced() {
			list[r] = m.kind
		}
	}
	return list
}

// filling says whether it is worth to wait for one of these monitors.
func (c *collector) filling(of func(schema.GroupVersionResource) bool) bool {
	for r, m := range c.monitors {
		if of(r) && !m.HasSynced() && c.clock.Since(m.since) < c.patience {
			return true
		}
	}
	return false
}

// overdue is an error about monitors that do not fill, once for each.
func (c *collector) overdue() (err error) {
	for r, m := range c.monitors {
		if !m.late && !m.HasSynced() && c.clock.Since(m.since) >= c.patience {
			m.late = true
			err = errors.Join(err, fmt.Errorf("the objects of %s are not known after %s", r, c.patience))
		}
	}
	return err
}
