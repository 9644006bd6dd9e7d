// SPDX-License-Identifier: Apache-2.0

package ttlafterfinished

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// action is what to do about a Job: delete it, look again after a wait, or, when
// it is zero, nothing.
type action struct {
	delete bool
	wait   time.Duration
	// finish and expiry are the two ends of the time for which the Job is kept.
	finish, expiry time.Time
}

// decide says what to do about a Job at a given time.
func decide(job *batchv1.Job, now time.Time) (action, error) {
	if !expires(job) {
		return action{}, nil
	}
	finish := ending(job).LastTransitionTime.Time
	if finish.IsZero() {
		return action{}, fmt.Errorf("unable to find the time when the Job %s/%s finished", job.Namespace, job.Name)
	}
	expiry := finish.Add(time.Duration(*job.Spec.TTLSecondsAfterFinished) * time.Second)
	remaining := expiry.Sub(now)
	return action{delete: remaining <= 0, wait: max(remaining, 0), finish: finish, expiry: expiry}, nil
}

// expires says whether a Job is to be deleted sooner or later, and is not being
// deleted already.
func expires(job *batchv1.Job) bool {
	return job.DeletionTimestamp == nil && job.Spec.TTLSecondsAfterFinished != nil && ending(job) != nil
}

// ending is the condition that says how a Job finished, or nil. A Job for which
// success or failure is merely decided still has pods to end.
func ending(job *batchv1.Job) *batchv1.JobCondition {
	for i, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return &job.Status.Conditions[i]
		}
	}
	return nil
}
