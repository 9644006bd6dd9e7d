// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// record writes the status, lets go of the pods that it accounts for, and writes
// how many they were. When there is nothing to let go, one write does.
func (c *jobs) record(ctx context.Context, p *picture, failures backoff, notes []note) error {
	a := p.account()
	last := p.announce()
	if len(a.pods) == 0 {
		return c.conclude(ctx, p, last, !a.full, failures, notes)
	}
	if err := c.write(ctx, p); err != nil {
		return err
	}
	c.tell(p.job, notes...)
	c.memory.setBackoff(p.job, failures)
	for _, action := range a.actions {
		c.metrics.policy.WithLabelValues(string(action)).Inc()
	}
	kept, err := c.release(ctx, p, a.pods)
	held := p.heldUIDs()
	for _, pod := range a.pods {
		held.Delete(pod.UID)
	}
	p.settle(held.Union(kept))
	if err != nil {
		// What could be done is kept, whatever becomes of the rest.
		_ = c.write(ctx, p)
		return err
	}
	return c.conclude(ctx, p, last, !a.full, failures, nil)
}

// conclude is the last write of a sync, and of a Job if it has come to its end.
func (c *jobs) conclude(ctx context.Context, p *picture, last *batchv1.JobCondition, mayFinish bool, failures backoff, notes []note) error {
	if !mayFinish || !p.finish(last) {
		return c.proceed(ctx, p, mayFinish, failures, notes)
	}
	c.pacer.Forget(keyOf(p.job))
	// Set before the cache can show it, so that what is remembered of the Job is
	// dropped when it does.
	c.memory.setEnded(p.job, true)
	if err := c.write(ctx, p); err != nil {
		c.memory.setEnded(p.job, false)
		return err
	}
	c.tell(p.job, epitaph(p.job, last)...)
	c.metrics.ended(p.job, last)
	return nil
}

// proceed writes how far the Job has come, or leaves that to a later sync, which
// finds the same and mostly more. When there are more pods to put on record than
// one sync may, the write brings that sync.
func (c *jobs) proceed(ctx context.Context, p *picture, mayWait bool, failures backoff, notes []note) error {
	k := keyOf(p.job)
	if !mayWait || equality.Semantic.DeepEqual(p.saved, p.job.Status) {
		c.pacer.Forget(k)
	} else if left := c.pacer.Hold(k, urgency(&p.saved, &p.job.Status)); left > 0 {
		c.queue.AddAfter(k, left)
		return nil
	}
	if err := c.write(ctx, p); err != nil {
		return err
	}
	c.tell(p.job, notes...)
	c.memory.setBackoff(p.job, failures)
	return nil
}

// write sends the status if it says something new.
func (c *jobs) write(ctx context.Context, p *picture) error {
	if equality.Semantic.DeepEqual(p.saved, p.job.Status) {
		return nil
	}
	updated, err := c.client.BatchV1().Jobs(p.job.Namespace).UpdateStatus(ctx, p.job, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	c.metrics.counted(p.job, &p.saved, &updated.Status)
	if !finished(&updated.Status) {
		c.written.Wrote(updated, jobResource, updated)
	}
	p.job, p.saved = updated, *updated.Status.DeepCopy()
	if p.job.Status.UncountedTerminatedPods == nil {
		p.job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	}
	return nil
}

// release removes the finalizer of pods. Those that keep it, because of an error,
// are returned.
func (c *jobs) release(ctx context.Context, p *picture, pods []*corev1.Pod) (kept sets.Set[types.UID], err error) {
	uids := make([]types.UID, 0, len(pods))
	for _, pod := range pods {
		uids = append(uids, pod.UID)
	}
	c.memory.await(p.job, uids)
	failed := make([]error, len(pods))
	podcontrol.Together(len(pods), func(i int) error {
		failed[i] = c.removeFinalizer(ctx, p.job, pods[i])
		return nil
	})
	kept = sets.New[types.UID]()
	for i, e := range failed {
		if e != nil {
			kept.Insert(uids[i])
			c.memory.observed(p.job, uids[i])
			if err == nil {
				err = e
			}
		}
	}
	return kept, err
}
