// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/ownerref"
)

func (c *cronJobs) enqueue(cj *batchv1.CronJob) { c.queue.Add(keyOf(cj)) }

// updated takes every update, resyncs included. A new schedule needs no sync
// before its first run; the delay that the old one has set stays, and ends in a
// sync that finds nothing to do.
func (c *cronJobs) updated(old, cj *batchv1.CronJob) {
	if old.Spec.Schedule == cj.Spec.Schedule && ptr.Equal(old.Spec.TimeZone, cj.Spec.TimeZone) {
		c.enqueue(cj)
		return
	}
	s, err := parse(cj)
	if err != nil {
		c.tell(cj, unparseableUpdate(cj))
		return
	}
	c.queue.AddAfter(keyOf(cj), untilNext(s, begin(cj), c.clock.Now()))
}

func (c *cronJobs) jobUpdated(old, job *batchv1.Job) {
	if old.ResourceVersion == job.ResourceVersion {
		return
	}
	if !equality.Semantic.DeepEqual(metav1.GetControllerOfNoCopy(old), metav1.GetControllerOfNoCopy(job)) {
		c.enqueueOwner(old)
	}
	c.enqueueOwner(job)
}

func (c *cronJobs) enqueueOwner(job *batchv1.Job) {
	ref := metav1.GetControllerOfNoCopy(job)
	if cj, found := ownerref.Resolve(c.cronJobs.Get, job.Namespace, ref, kind.Kind); found {
		c.enqueue(cj)
	}
}
