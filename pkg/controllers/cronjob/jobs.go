// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// closingError is about a namespace that is on its way out. It is retried, since
// there is no other way to learn that the namespace did not go, but is no news.
type closingError struct{ error }

// Expected keeps the error out of the log.
func (closingError) Expected() bool { return true }

// Unwrap is part of error.
func (e closingError) Unwrap() error { return e.error }

// start creates the Job of a time and lists it. A Job of that name which is the
// CronJob's own was created before, by a sync that could not write it down. It
// reports false when there is one that is somebody else's, or is listed already.
func (c *cronJobs) start(ctx context.Context, cj *batchv1.CronJob, slot time.Time) (bool, error) {
	jobs := c.client.BatchV1().Jobs(cj.Namespace)
	job, err := jobs.Create(ctx, newJob(cj, slot), metav1.CreateOptions{})
	switch {
	case err == nil:
		c.skews.Observe(job.CreationTimestamp.Sub(slot).Seconds())
		c.tell(cj, successfulCreate(job))
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return false, closingError{err}
	case apierrors.IsAlreadyExists(err):
		job, err = jobs.Get(ctx, jobName(cj, slot), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		if !metav1.IsControlledBy(job, cj) || active(cj, job.UID) {
			return false, nil
		}
	default:
		if !controller.IsStopping(ctx, err) {
			c.tell(cj, failedCreate(err))
		}
		return false, err
	}
	cj.Status.Active = append(cj.Status.Active, reference(job))
	cj.Status.LastScheduleTime = &metav1.Time{Time: slot}
	return true, nil
}

// replace deletes all Jobs that run.
func (c *cronJobs) replace(ctx context.Context, cj *batchv1.CronJob) error {
	for _, ref := range slices.Clone(cj.Status.Active) {
		job, err := c.client.BatchV1().Jobs(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
		if err != nil {
			if !controller.IsStopping(ctx, err) {
				c.tell(cj, failedGet(err))
			}
			return err
		}
		if err := c.delete(ctx, cj, job); err != nil {
			return fmt.Errorf("could not replace job %s/%s: %w", job.Namespace, job.Name, err)
		}
	}
	return nil
}

// prune deletes finished Jobs that the CronJob keeps no more. It goes before all
// else: when a quota holds back new Jobs, it is what makes room. A failure has
// its event and holds nothing up.
func (c *cronJobs) prune(ctx context.Context, cj *batchv1.CronJob, jobs []*batchv1.Job) {
	for _, job := range surplus(cj, jobs) {
		if controller.IsStopping(ctx, c.delete(ctx, cj, job)) {
			return
		}
	}
}

// delete lets the garbage collector see to the Job's pods. One that is gone, as
// the cache did not know yet, is as good as deleted.
func (c *cronJobs) delete(ctx context.Context, cj *batchv1.CronJob, job *batchv1.Job) error {
	err := c.client.BatchV1().Jobs(job.Namespace).Delete(ctx, job.Name, metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	switch {
	case err == nil:
		c.tell(cj, successfulDelete(job))
	case !apierrors.IsNotFound(err):
		if !controller.IsStopping(ctx, err) {
			c.tell(cj, failedDelete(err))
		}
		return err
	}
	forget(cj, job.UID)
	return nil
}
