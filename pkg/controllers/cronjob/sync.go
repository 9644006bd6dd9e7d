// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sync comes back by itself when the next run is due. A failure is retried
// instead, and what waits for a change of the CronJob for an event.
func (c *cronJobs) sync(ctx context.Context, name key) error {
	wait, err := c.reconcile(ctx, name)
	if err == nil && wait != nil {
		c.queue.AddAfter(name, *wait)
	}
	return err
}

// reconcile writes the status at the end, even when something before has failed:
// what has happened until then is not to be found out again.
func (c *cronJobs) reconcile(ctx context.Context, name key) (*time.Duration, error) {
	cached, found := c.cronJobs.Get(name.Namespace, name.Name)
	if !found {
		return nil, nil
	}
	jobs := c.jobs.ControlledBy(name.Namespace, kind.Kind, name.Name, cached.UID)
	slices.SortFunc(jobs, func(a, b *batchv1.Job) int { return cmp.Compare(a.Name, b.Name) })
	cj, err := c.current(ctx, cached, jobs)
	if err != nil || cj == nil {
		return nil, err
	}
	if cj, err = c.remember(ctx, cj, surplus(cj, jobs)); err != nil {
		return nil, err
	}
	before := cj.Status.DeepCopy()
	c.prune(ctx, cj, jobs)
	wait, err := c.run(ctx, cj, jobs)
	if !equality.Semantic.DeepEqual(before, &cj.Status) {
		if _, failed := c.client.BatchV1().CronJobs(cj.Namespace).UpdateStatus(ctx, cj, metav1.UpdateOptions{}); failed != nil {
			return nil, failed
		}
	}
	return wait, err
}

// remember writes down the success of Jobs that are about to be deleted: nobody
// could tell of it afterwards if the controller ended in between.
func (c *cronJobs) remember(ctx context.Context, cj *batchv1.CronJob, jobs []*batchv1.Job) (*batchv1.CronJob, error) {
	known := cj.DeepCopy()
	account(known, jobs)
	if known.Status.LastSuccessfulTime.Equal(cj.Status.LastSuccessfulTime) {
		return cj, nil
	}
	cj.Status.LastSuccessfulTime = known.Status.LastSuccessfulTime
	return c.client.BatchV1().CronJobs(cj.Namespace).UpdateStatus(ctx, cj, metav1.UpdateOptions{})
}

// current is a CronJob to work on. A running Job that the cached one does not list
// was most likely created a moment ago; the API server knows. Nil: there is none
// any more.
func (c *cronJobs) current(ctx context.Context, cached *batchv1.CronJob, jobs []*batchv1.Job) (*batchv1.CronJob, error) {
	if !unlisted(cached, jobs) {
		return cached.DeepCopy(), nil
	}
	live, err := c.client.BatchV1().CronJobs(cached.Namespace).Get(ctx, cached.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case live.UID != cached.UID:
		return nil, nil
	}
	return live, nil
}

// run does what the schedule asks for.
func (c *cronJobs) run(ctx context.Context, cj *batchv1.CronJob, jobs []*batchv1.Job) (*time.Duration, error) {
	c.tell(cj, account(cj, jobs)...)
	if err := c.forgetMissing(ctx, cj, jobs); err != nil {
		return nil, err
	}
	v := decide(cj, c.clock.Now())
	c.tell(cj, v.notes...)
	if v.slot.IsZero() {
		return v.wait, nil
	}
	if v.replace {
		if err := c.replace(ctx, cj); err != nil {
			return nil, err
		}
	}
	started, err := c.start(ctx, cj, v.slot)
	if err != nil || !started {
		return nil, err
	}
	return v.wait, nil
}

// forgetMissing takes Jobs off the status that are gone. That the cache does not
// show one proves nothing.
func (c *cronJobs) forgetMissing(ctx context.Context, cj *batchv1.CronJob, jobs []*batchv1.Job) error {
	for _, ref := range missing(cj, jobs) {
		_, err := c.client.BatchV1().Jobs(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			forget(cj, ref.UID)
			c.tell(cj, missingJob(ref))
		case err != nil:
			return fmt.Errorf("is the Job %s/%s there: %w", ref.Namespace, ref.Name, err)
		}
	}
	return nil
}
