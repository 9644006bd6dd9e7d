// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// timing of the monitors.
type timing struct {
	// period is the pause between two looks at what the API serves.
	period time.Duration
	// patience is how long a cache may take to fill before quotas are written that
	// would need it.
	patience time.Duration
}

func usual() timing { return timing{period: 30 * time.Second, patience: 30 * time.Second} }

const (
	// firstPeriod is the pause before the second try when the API has not told
	// anything yet, so that nothing can be measured.
	firstPeriod = 2 * time.Second
	// fillPoll and failPoll are how often caches are looked at that fill, and that
	// should have long since.
	fillPoll = 50 * time.Millisecond
	failPoll = time.Second
)

// countable resources are those whose objects live in namespaces, come and go, and
// can be watched. Events are too many. DeviceClasses tell which extended resources
// are devices.
func countable(r schema.GroupVersionResource, resource monitors.Resource) bool {
	if r == resourcev1.SchemeGroupVersion.WithResource("deviceclasses") {
		return resource.Can("list", "watch")
	}
	isEvent := r.Resource == "events" && (r.Group == "" || r.Group == "events.k8s.io")
	return resource.Namespaced && !isEvent && resource.Can("create", "list", "watch", "delete")
}

// Attaches is part of controller.Attacher: what monitors would watch.
func (c *quotas) Attaches(ctx context.Context) ([]informer.Source, error) {
	s, err := monitors.Discover(ctx, c.discovery)
	if err != nil {
		return nil, err
	}
	return s.Sources(countable), nil
}

// watch follows what the API serves. Workers begin as soon as that is known; no
// cache has to be full for that.
func (c *quotas) watch(ctx context.Context) {
	opened := false
	for ctx.Err() == nil {
		err := c.follow()
		if err != nil && !controller.IsStopping(ctx, err) {
			c.logger.Error(err, "Monitors do not cover all that the API serves, will retry", "after", c.pause())
		}
		c.publish()
		if !opened && c.served != nil {
			c.gate.Follow(c.workers)
			opened = true
		}
		c.attend(ctx)
	}
}

// follow makes the monitors those of what the API serves now.
func (c *quotas) follow() error {
	// Not torn by a stop: it takes moments, and half an answer is an error in the
	// log.
	s, err := monitors.Discover(c.Work(), c.discovery)
	if err != nil {
		return err
	}
	c.served = s
	return c.monitors.Follow(s)
}

// pause before the next look.
func (c *quotas) pause() time.Duration {
	if c.served == nil {
		return min(c.period, firstPeriod)
	}
	return c.period
}

// attend waits for the next look, and publishes which caches fill meanwhile.
func (c *quotas) attend(ctx context.Context) {
	look := c.clock.NewTimer(c.pause())
	defer look.Stop()
	for {
		poll := c.period
		if waiting, broken := c.inventory.Load().incomplete(); waiting {
			poll = fillPoll
		} else if broken {
			poll = failPoll
		}
		timer := c.clock.NewTimer(poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-look.C():
			timer.Stop()
			return
		case <-timer.C():
			c.publish()
		}
	}
}

// publish replaces the inventory, and has quotas counted that waited for what is
// new in it.
func (c *quotas) publish() {
	if c.served == nil {
		return
	}
	now := c.takeInventory()
	old := c.inventory.Swap(now)
	news := now.news(old)
	if len(news) == 0 {
		return
	}
	for _, q := range c.quotas.List() {
		if concerns(q.Spec.Hard, news) {
			c.primary.Add(keyOf(q))
		}
	}
}

// concerns says whether one of the evaluators measures what a quota limits.
func concerns(hard corev1.ResourceList, evaluators []quota.Evaluator) bool {
	for name := range hard {
		for _, e := range evaluators {
			if e.Matches(name) {
				return true
			}
		}
	}
	return false
}
