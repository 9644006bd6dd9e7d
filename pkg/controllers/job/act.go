// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

func keyOf(job podcontrol.Owner) key { return expectations.NameOf(job) }

// minWait keeps a Job that waits for a moment from being looked at too early,
// by a hair.
const minWait = time.Second

// manage creates or deletes pods, and says what it did.
func (c *jobs) manage(ctx context.Context, p *picture, template *corev1.PodTemplateSpec, failures backoff) (action string, err error) {
	if suspended(p.job) {
		return podsDeleted, c.removePods(ctx, p, p.active)
	}
	wanted := p.wanted()
	if surplus := p.surplus(wanted); len(surplus) > 0 {
		return podsDeleted, c.removePods(ctx, p, surplus)
	}
	n := p.missing(wanted)
	if n <= 0 {
		return tracking, nil
	}
	indexes := make([]int, n)
	wait := time.Duration(0)
	if isIndexed(p.job) {
		indexes = p.freeIndexes(n)
	}
	if limitsIndexes(p.job) {
		indexes, wait = p.due(indexes)
	} else {
		wait = failures.remaining(p.now)
	}
	switch {
	case wait > 0 && (len(indexes) == 0 || !limitsIndexes(p.job)):
		c.queue.AddAfter(keyOf(p.job), max(wait, minWait))
		return podsCreated, nil
	case len(indexes) == 0:
		return tracking, nil
	}
	return podsCreated, c.createPods(ctx, p, template, indexes)
}

// createPods creates a pod for each index; without indexes they are just so many.
func (c *jobs) createPods(ctx context.Context, p *picture, template *corev1.PodTemplateSpec, indexes []int) error {
	c.expected.Expect(p.job, len(indexes), 0)
	succeeded, errs := podcontrol.SlowStart(ctx, len(indexes), 0, func(i int) error {
		pod, err := c.control.Create(ctx, p.job, p.newPod(template, indexes[i]))
		if podcontrol.Refused(err) {
			// The pod stays expected, which keeps a Job that goes with its
			// namespace quiet.
			return nil
		}
		c.metrics.created(p, err)
		if err == nil {
			c.written.Wrote(p.job, podResource, pod)
		}
		return err
	})
	c.expected.Lower(p.job, len(indexes)-succeeded, 0)
	p.running += int32(succeeded)
	return first(errs)
}

// removePods deletes pods that are not to be counted: they lose the finalizer
// before.
func (c *jobs) removePods(ctx context.Context, p *picture, pods []*corev1.Pod) error {
	if len(pods) == 0 {
		return nil
	}
	names := make([]expectations.Name, 0, len(pods))
	for _, pod := range pods {
		names = append(names, expectations.NameOf(pod))
	}
	c.expected.ExpectDeletions(p.job, names)
	gone := make([]bool, len(pods))
	errs := podcontrol.Together(len(pods), func(i int) error {
		err := c.removeFinalizer(ctx, p.job, pods[i])
		if err == nil {
			err = c.control.Delete(ctx, p.job, pods[i].Name)
		}
		if err != nil {
			c.expected.Deleted(p.job, names[i])
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		gone[i] = true
		return nil
	})
	for i, pod := range pods {
		if gone[i] {
			p.running--
			p.terminating++
			if podstate.Ready(pod) {
				p.ready--
			}
		}
	}
	return first(errs)
}

// endPods deletes what is still active of a Job that ends. As long as not all of
// it could be seen and deleted the end is not written down.
func (c *jobs) endPods(ctx context.Context, p *picture, settled bool) error {
	errs := podcontrol.Together(len(p.active), func(i int) error {
		err := c.control.Delete(ctx, p.job, p.active[i].Name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
	deleted := int32(len(p.active) - len(errs))
	p.running -= deleted
	p.terminating += deleted
	p.ready = 0
	if len(errs) > 0 || !settled {
		p.end = nil
	}
	return first(errs)
}

func first(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}
