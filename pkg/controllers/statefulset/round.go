// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// burst bounds how many pods are created, deleted or changed at the same time.
const burst = 500

// round is what one sync does with one set, and the status it comes to.
type round struct {
	*view
	history history
	status  appsv1.StatefulSetStatus
	// mute has the status not written.
	mute bool
	// created and deleted count the pods that were.
	created, deleted atomic.Int32
}

func (c *statefulSets) newRound(set *appsv1.StatefulSet, h history, pods []*corev1.Pod) *round {
	v := &view{set: set, now: c.clock.Now(), current: h.current.Name, update: h.update.Name}
	v.arrange(pods)
	return &round{view: v, history: h, status: v.begin(pods, h.collisions)}
}

// advance does the next that is to be done, and completes the status.
func (c *statefulSets) advance(ctx context.Context, r *round) error {
	strategy := r.set.Spec.UpdateStrategy.Type
	if strategy == appsv1.RecreateStatefulSetStrategyType && !c.gates.recreate {
		r.mute = true
		err := fmt.Errorf("statefulset %s/%s uses Recreate strategy but feature gate StatefulSetRecreateStrategy is disabled", r.set.Namespace, r.set.Name)
		c.recorder.Event(r.set, corev1.EventTypeWarning, reasonUnknownStrategy, err.Error())
		return err
	}
	defer r.complete(&r.status)
	c.observeLimit(r)
	if r.set.DeletionTimestamp != nil {
		return nil
	}
	if strategy == appsv1.RecreateStatefulSetStrategyType {
		if more, err := c.clearOld(ctx, r); !more {
			return err
		}
	}
	more, err := c.keep(ctx, r)
	r.count(&r.status, r.pods())
	if !more || strategy == appsv1.OnDeleteStatefulSetStrategyType || strategy == appsv1.RecreateStatefulSetStrategyType {
		return err
	}
	return c.roll(ctx, r)
}

// clearOld deletes the pods of other revisions. Only when none is left, more may
// be done.
func (c *statefulSets) clearOld(ctx context.Context, r *round) (more bool, err error) {
	doomed, any := r.superseded()
	_, errs := podcontrol.SlowStart(ctx, len(doomed), burst, func(i int) error { return c.deletePod(ctx, r, doomed[i]) })
	if err := errors.Join(errs...); err != nil {
		return false, err
	}
	switch {
	case any:
		r.status.Conditions = withCondition(r.status.Conditions, deletingOld(), r.now)
	case r.current != r.update:
		r.status.Conditions = withCondition(r.status.Conditions, waitingForNew(), r.now)
	}
	return !any, nil
}

// keep brings the pods in line with what the set wants. It is done with that for
// now, and nothing more may be done, when a set that goes by order has to wait.
func (c *statefulSets) keep(ctx context.Context, r *round) (more bool, err error) {
	if more, err = c.take(ctx, r, len(r.slots), func(i int) step { return r.slotStep(r.slots[i], c.claimState(r.set, r.slots[i])) }); !more {
		return false, err
	}
	first := r.firstUnavailable()
	if more, err = c.take(ctx, r, len(r.condemned), func(i int) step {
		return releaseStep(r.condemned[i], c.claimState(r.set, r.condemned[i]))
	}); !more {
		return false, err
	}
	return c.take(ctx, r, len(r.condemned), func(i int) step { return r.condemnedStep(r.condemned[i], first) })
}

// take takes n steps: one after the other up to the first that stops or fails in
// a set that goes by order, and else all of them, whatever becomes of the others.
func (c *statefulSets) take(ctx context.Context, r *round, n int, decide func(i int) step) (more bool, err error) {
	if monotonic(r.set) {
		for i := range n {
			s := decide(i)
			if err := c.do(ctx, r, s); err != nil || s.stop {
				return false, err
			}
		}
		return true, nil
	}
	var busy []step
	for i := range n {
		if s := decide(i); !s.idle() {
			busy = append(busy, s)
		}
	}
	_, errs := podcontrol.SlowStart(ctx, len(busy), burst, func(i int) error { return c.do(ctx, r, busy[i]) })
	return len(errs) == 0, errors.Join(errs...)
}

// do takes one step.
func (c *statefulSets) do(ctx context.Context, r *round, s step) error {
	switch {
	case s.delete:
		return c.deletePod(ctx, r, s.member)
	case s.create:
		return c.createPod(ctx, r, s.member)
	}
	if s.repair {
		if err := c.ensureClaims(ctx, r.set, s.member); err != nil {
			return err
		}
	}
	if s.settle {
		if err := c.settleClaims(ctx, r.set, s.member); err != nil {
			return err
		}
	}
	if s.adjust {
		return c.adjustPod(ctx, r.set, s.member)
	}
	return nil
}

// roll deletes the pods that are next to come back at the new revision.
func (c *statefulSets) roll(ctx context.Context, r *round) error {
	targets := r.outdatedOneByOne()
	if c.gates.maxUnavailable {
		limit, err := r.maxUnavailable()
		if err != nil {
			return err
		}
		observe(c.metrics.unavailable, r.set, r.unavailableSlots())
		targets = r.outdated(limit)
	}
	for _, m := range targets {
		if err := c.deletePod(ctx, r, m); err != nil {
			return err
		}
		// Pods of a third revision are not among the current ones.
		r.status.CurrentReplicas = max(r.status.CurrentReplicas-1, 0)
	}
	return nil
}

func (c *statefulSets) observeLimit(r *round) {
	if !c.gates.maxUnavailable {
		return
	}
	if limit, err := r.maxUnavailable(); err == nil {
		observe(c.metrics.maxUnavailable, r.set, limit)
	}
}
