// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// at is a time of January 2026, of which the first day is a Thursday.
func at(day, hour, minute, second int) time.Time {
	return time.Date(2026, 1, day, hour, minute, second, 0, time.UTC)
}

// made is when CronJobs of tests were created.
var made = at(1, 9, 20, 30)

type change func(*batchv1.CronJob)

func cronJob(schedule string, changes ...change) *batchv1.CronJob {
	cj := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "report", UID: "cj", CreationTimestamp: metav1.NewTime(made)},
		Spec: batchv1.CronJobSpec{
			Schedule: schedule, ConcurrencyPolicy: batchv1.AllowConcurrent,
			JobTemplate: batchv1.JobTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Name: "not used", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"x": "y"}, Finalizers: []string{"not/used"}},
				Spec:       batchv1.JobSpec{BackoffLimit: new(int32(3))},
			},
		},
	}
	for _, c := range changes {
		c(cj)
	}
	return cj
}

func last(t time.Time) change {
	return func(cj *batchv1.CronJob) { cj.Status.LastScheduleTime = &metav1.Time{Time: t} }
}

func within(seconds int64) change {
	return func(cj *batchv1.CronJob) { cj.Spec.StartingDeadlineSeconds = &seconds }
}

func policy(p batchv1.ConcurrencyPolicy) change {
	return func(cj *batchv1.CronJob) { cj.Spec.ConcurrencyPolicy = p }
}

func inZone(name string) change {
	return func(cj *batchv1.CronJob) { cj.Spec.TimeZone = &name }
}

func keeping(successful, failed *int32) change {
	return func(cj *batchv1.CronJob) {
		cj.Spec.SuccessfulJobsHistoryLimit, cj.Spec.FailedJobsHistoryLimit = successful, failed
	}
}

func suspended(cj *batchv1.CronJob) { cj.Spec.Suspend = new(true) }

func listing(jobs ...*batchv1.Job) change {
	return func(cj *batchv1.CronJob) {
		for _, j := range jobs {
			cj.Status.Active = append(cj.Status.Active, reference(j))
		}
	}
}

// job is one of the CronJob of tests; its UID follows from its name.
func job(name string, changes ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, UID: types.UID("uid-" + name),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cronJob(""), kind)},
	}}
	for _, c := range changes {
		c(j)
	}
	return j
}

func begun(t time.Time) func(*batchv1.Job) {
	return func(j *batchv1.Job) { j.Status.StartTime = &metav1.Time{Time: t} }
}

func completed(t time.Time) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.CompletionTime = &metav1.Time{Time: t}
		j.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobFailed, Status: corev1.ConditionFalse},
			{Type: batchv1.JobComplete, Status: corev1.ConditionTrue},
		}
	}
}

func failed(j *batchv1.Job) {
	j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}
}

func names(jobs []*batchv1.Job) []string {
	var list []string
	for _, j := range jobs {
		list = append(list, j.Name)
	}
	return list
}

func texts(notes []note) []string {
	var list []string
	for _, n := range notes {
		list = append(list, n.kind+" "+n.reason+" "+n.message)
	}
	return list
}
