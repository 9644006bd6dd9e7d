// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
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
		if !opened && c.monitors.Len() > 0 && c.filled(ctx) && c.drained(ctx) {
			c.logger.V(2).Info("The graph is complete, starting workers", "monitors", c.monitors.Len())
			c.gate.Follow(c.workers)
			opened = true
		}
		c.Pause(ctx, c.period)
	}
}

// filled waits until all monitors have seen all there is, or have had their
// time. It is false when the run ends before that.
func (c *collector) filled(ctx context.Context) bool {
	for c.monitors.Filling() {
		if !c.Pause(ctx, syncPoll) {
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
	s, err := monitors.Discover(c.Work(), c.discovery)
	if err != nil {
		return err
	}
	mapper, err := s.Mapper(c.Work())
	if err != nil {
		return err
	}
	c.mapper.Store(&mapper)
	err = c.monitors.Follow(s)
	stores := map[schema.GroupVersionKind]cache.Store{}
	for _, m := range c.monitors.All() {
		stores[m.Resource.Kind] = m.Store()
	}
	c.stores.Store(&stores)
	return err
}

// collectable resources are those whose objects can be watched and deleted, but
// the ignored ones.
func (c *collector) collectable(r schema.GroupVersionResource, resource monitors.Resource) bool {
	return !c.ignored[r.GroupResource()] && resource.Can("delete", "list", "watch")
}

// left tells the graph of a kind whose objects cannot be seen any more.
func (c *collector) left(_ schema.GroupVersionResource, resource monitors.Resource) {
	apiVersion, kind := resource.Kind.ToAPIVersionAndKind()
	c.changes.Add(&unserved{apiVersion, kind})
}

// Attaches is part of controller.Attacher: what monitors would watch.
func (c *collector) Attaches(ctx context.Context) ([]informer.Source, error) {
	s, err := monitors.Discover(ctx, c.discovery)
	if err != nil {
		return nil, err
	}
	return s.Sources(c.collectable), nil
}
