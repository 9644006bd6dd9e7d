// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ending is how a Job finished, or "".
func ending(job *batchv1.Job) batchv1.JobConditionType {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

func active(cj *batchv1.CronJob, uid types.UID) bool {
	return slices.ContainsFunc(cj.Status.Active, func(ref corev1.ObjectReference) bool { return ref.UID == uid })
}

func forget(cj *batchv1.CronJob, uid types.UID) {
	cj.Status.Active = slices.DeleteFunc(cj.Status.Active, func(ref corev1.ObjectReference) bool { return ref.UID == uid })
}

// unlisted says whether a CronJob has running Jobs that its status does not list.
func unlisted(cj *batchv1.CronJob, jobs []*batchv1.Job) bool {
	return slices.ContainsFunc(jobs, func(job *batchv1.Job) bool { return ending(job) == "" && !active(cj, job.UID) })
}

// account takes finished Jobs off the status, keeps the time of the latest
// success, and complains about running Jobs that the status does not list: those
// were made by somebody else, and are left alone.
func account(cj *batchv1.CronJob, jobs []*batchv1.Job) (notes []note) {
	for _, job := range jobs {
		listed, end := active(cj, job.UID), ending(job)
		switch {
		case end == "" && !listed:
			notes = append(notes, unexpectedJob(job))
		case end != "" && listed:
			forget(cj, job.UID)
			notes = append(notes, sawCompletedJob(job))
		}
		done := job.Status.CompletionTime
		if last := cj.Status.LastSuccessfulTime; end == batchv1.JobComplete && done != nil && (last == nil || done.After(last.Time)) {
			cj.Status.LastSuccessfulTime = done.DeepCopy()
		}
	}
	return notes
}

// missing are the entries of the status of which there is no such Job.
func missing(cj *batchv1.CronJob, jobs []*batchv1.Job) []corev1.ObjectReference {
	var gone []corev1.ObjectReference
	for _, ref := range cj.Status.Active {
		if !slices.ContainsFunc(jobs, func(job *batchv1.Job) bool { return job.UID == ref.UID }) {
			gone = append(gone, ref)
		}
	}
	return gone
}

// surplus are the finished Jobs that the CronJob keeps no more: the oldest of
// the successful, then of the failed ones.
func surplus(cj *batchv1.CronJob, jobs []*batchv1.Job) []*batchv1.Job {
	return append(
		oldest(jobs, batchv1.JobComplete, cj.Spec.SuccessfulJobsHistoryLimit),
		oldest(jobs, batchv1.JobFailed, cj.Spec.FailedJobsHistoryLimit)...)
}

// oldest are those above the limit among the Jobs that finished in one way.
// Those that are being deleted count but need not be deleted again.
func oldest(jobs []*batchv1.Job, end batchv1.JobConditionType, limit *int32) []*batchv1.Job {
	if limit == nil {
		return nil
	}
	var list []*batchv1.Job
	for _, job := range jobs {
		if ending(job) == end {
			list = append(list, job)
		}
	}
	if len(list) <= int(*limit) {
		return nil
	}
	slices.SortFunc(list, byStart)
	return slices.DeleteFunc(list[:len(list)-int(*limit)], func(job *batchv1.Job) bool { return job.DeletionTimestamp != nil })
}

// byStart sorts Jobs that never began last.
func byStart(a, b *batchv1.Job) int {
	x, y := a.Status.StartTime, b.Status.StartTime
	switch {
	case x == nil && y != nil:
		return 1
	case x != nil && y == nil:
		return -1
	case x != nil && !x.Equal(y):
		return x.Compare(y.Time)
	}
	return cmp.Compare(a.Name, b.Name)
}

// jobName is the name of the Job of a time.
func jobName(cj *batchv1.CronJob, slot time.Time) string {
	return fmt.Sprintf("%s-%d", cj.Name, slot.Unix()/60)
}

// newJob is the Job of a time.
func newJob(cj *batchv1.CronJob, slot time.Time) *batchv1.Job {
	t := cj.Spec.JobTemplate.DeepCopy()
	annotations := maps.Clone(t.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[batchv1.CronJobScheduledTimestampAnnotation] = slot.In(zone(cj)).Format(time.RFC3339)
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       cj.Namespace,
			Name:            jobName(cj, slot),
			Labels:          t.Labels,
			Annotations:     annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cj, kind)},
		},
		Spec: t.Spec,
	}
}

// zone is the one that the CronJob names outside of its schedule, or UTC.
func zone(cj *batchv1.CronJob) *time.Location {
	if cj.Spec.TimeZone != nil {
		if l, err := time.LoadLocation(*cj.Spec.TimeZone); err == nil {
			return l
		}
	}
	return time.UTC
}

// reference is what the status lists of a Job.
func reference(job *batchv1.Job) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion:      batchv1.SchemeGroupVersion.String(),
		Kind:            "Job",
		Namespace:       job.Namespace,
		Name:            job.Name,
		UID:             job.UID,
		ResourceVersion: job.ResourceVersion,
	}
}
