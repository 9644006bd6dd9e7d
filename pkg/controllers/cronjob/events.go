// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// note is an event about a CronJob that is yet to be sent.
type note struct{ kind, reason, message string }

func (c *cronJobs) tell(cj *batchv1.CronJob, notes ...note) {
	for _, n := range notes {
		c.recorder.Event(cj, n.kind, n.reason, n.message)
	}
}

func normal(reason, format string, args ...any) note {
	return note{corev1.EventTypeNormal, reason, fmt.Sprintf(format, args...)}
}

func warning(reason, format string, args ...any) note {
	return note{corev1.EventTypeWarning, reason, fmt.Sprintf(format, args...)}
}

func unexpectedJob(job *batchv1.Job) note {
	return warning("UnexpectedJob", "Saw a job that the controller did not create or forgot: %s", job.Name)
}

func sawCompletedJob(job *batchv1.Job) note {
	return normal("SawCompletedJob", "Saw completed job: %s, condition: %v", job.Name, ending(job))
}

func missingJob(ref corev1.ObjectReference) note {
	return normal("MissingJob", "Active job went missing: %v", ref.Name)
}

func jobAlreadyActive() note {
	return normal("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
}

func successfulCreate(job *batchv1.Job) note {
	return normal("SuccessfulCreate", "Created job %v", job.Name)
}

func failedCreate(err error) note { return warning("FailedCreate", "Error creating job: %v", err) }

func successfulDelete(job *batchv1.Job) note {
	return normal("SuccessfulDelete", "Deleted job %v", job.Name)
}

func failedDelete(err error) note { return warning("FailedDelete", "Deleted job: %v", err) }

func failedGet(err error) note { return warning("FailedGet", "Get job: %v", err) }

func missSchedule(slot time.Time) note {
	return warning("MissSchedule", "Missed scheduled time to start a job: %s", slot.UTC().Format(time.RFC1123Z))
}

func tooManyMissedTimes() note {
	return warning("TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
}

func unknownTimeZone(zone string, err error) note {
	return warning("UnknownTimeZone", "invalid timeZone: %q: %s", zone, err)
}

func unsupportedSchedule(cj *batchv1.CronJob) note {
	return warning("UnsupportedSchedule", "CRON_TZ or TZ used in schedule %q is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details", cj.Spec.Schedule)
}

func unparseableSchedule(cj *batchv1.CronJob, err error) note {
	return warning("UnparseableSchedule", "unparseable schedule: %q : %s", cj.Spec.Schedule, err)
}

// unparseableUpdate is about a schedule that has just been changed.
func unparseableUpdate(cj *batchv1.CronJob) note {
	return warning("UnParseableCronJobSchedule", "unparseable schedule for cronjob: %s", cj.Spec.Schedule)
}

func invalidSchedule(cj *batchv1.CronJob, err error) note {
	return warning("InvalidSchedule", "invalid schedule: %s : %s", cj.Spec.Schedule, err)
}
