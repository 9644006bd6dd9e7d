// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSurplus(t *testing.T) {
	ten, eleven, noon := at(1, 10, 0, 0), at(1, 11, 0, 0), at(1, 12, 0, 0)
	deleting := func(j *batchv1.Job) { j.DeletionTimestamp = &metav1.Time{Time: noon} }
	jobs := []*batchv1.Job{
		job("s-late", completed(noon), begun(noon)),
		job("s-never", completed(noon)),
		job("s-b", completed(noon), begun(ten)),
		job("s-a", completed(noon), begun(ten)),
		job("f-2", failed, begun(eleven)),
		job("running", begun(ten)),
		job("f-1", failed, begun(ten)),
	}
	tests := []struct {
		name               string
		successful, failed *int32
		jobs               []*batchv1.Job
		want               []string
	}{
		{"no limits", nil, nil, jobs, nil},
		{"not reached", new(int32(4)), new(int32(2)), jobs, nil},
		{"the oldest, by name when equal", new(int32(3)), new(int32(1)), jobs, []string{"s-a", "f-1"}},
		{"one kind only", new(int32(1)), nil, jobs, []string{"s-a", "s-b", "s-late"}},
		{"none kept", new(int32(0)), new(int32(0)), jobs, []string{"s-a", "s-b", "s-late", "s-never", "f-1", "f-2"}},
		{"already being deleted", new(int32(1)), nil, []*batchv1.Job{job("a", completed(ten), begun(ten), deleting), job("b", completed(noon), begun(noon))}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := names(surplus(cronJob(hourly, keeping(tc.successful, tc.failed)), tc.jobs))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	ten, eleven := at(1, 10, 0, 0), at(1, 11, 0, 0)
	running, done, broken := job("running"), job("done", completed(ten)), job("broken", failed)
	stray := job("stray")
	tests := []struct {
		name    string
		listed  []*batchv1.Job
		jobs    []*batchv1.Job
		success *time.Time
		active  []string
		latest  *time.Time
		notes   []string
	}{
		{name: "nothing"},
		{"goes on", []*batchv1.Job{running}, []*batchv1.Job{running}, nil, []string{"running"}, nil, nil},
		{"completes", []*batchv1.Job{done, running}, []*batchv1.Job{done, running}, nil, []string{"running"}, &ten,
			[]string{"Normal SawCompletedJob Saw completed job: done, condition: Complete"}},
		{"fails", []*batchv1.Job{broken}, []*batchv1.Job{broken}, nil, nil, nil,
			[]string{"Normal SawCompletedJob Saw completed job: broken, condition: Failed"}},
		{"completed and was not listed", nil, []*batchv1.Job{done}, nil, nil, &ten, nil},
		{"a later success is on record", nil, []*batchv1.Job{done}, &eleven, nil, &eleven, nil},
		{"an earlier one", nil, []*batchv1.Job{job("next", completed(eleven))}, &ten, nil, &eleven, nil},
		{"without a completion time", nil, []*batchv1.Job{job("odd", completed(ten), func(j *batchv1.Job) { j.Status.CompletionTime = nil })}, nil, nil, nil, nil},
		{"a stranger", nil, []*batchv1.Job{stray}, nil, nil, nil,
			[]string{"Warning UnexpectedJob Saw a job that the controller did not create or forgot: stray"}},
		{"no such Job is left for later", []*batchv1.Job{running}, nil, nil, []string{"running"}, nil, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			cj := cronJob(hourly, listing(tc.listed...))
			if tc.success != nil {
				cj.Status.LastSuccessfulTime = &metav1.Time{Time: *tc.success}
			}
			notes := account(cj, tc.jobs)
			var active []string
			for _, ref := range cj.Status.Active {
				active = append(active, ref.Name)
			}
			if diff := cmp.Diff(tc.active, active); diff != "" {
				t.Errorf("active (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.notes, texts(notes)); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			var latest *time.Time
			if s := cj.Status.LastSuccessfulTime; s != nil {
				latest = &s.Time
			}
			if diff := cmp.Diff(tc.latest, latest); diff != "" {
				t.Errorf("latest success (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	a, b := job("a"), job("b")
	got := missing(cronJob(hourly, listing(a, b)), []*batchv1.Job{b, job("c")})
	if diff := cmp.Diff([]corev1.ObjectReference{reference(a)}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNewJob(t *testing.T) {
	cj := cronJob("0 9 * * *", inZone("America/New_York"))
	got := newJob(cj, at(1, 14, 0, 0))
	want := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: "report-29454600",
			Labels:      map[string]string{"a": "b"},
			Annotations: map[string]string{"x": "y", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T09:00:00-05:00"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "batch/v1", Kind: "CronJob", Name: "report", UID: "cj", Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		Spec: batchv1.JobSpec{BackoffLimit: new(int32(3))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got.Labels["a"], got.Annotations["x"], *got.Spec.BackoffLimit = "", "", 0
	if diff := cmp.Diff(cronJob("").Spec.JobTemplate, cj.Spec.JobTemplate); diff != "" {
		t.Errorf("the template is shared with the Job (-was +is):\n%s", diff)
	}
	for _, cj := range []*batchv1.CronJob{cronJob("TZ=Asia/Tokyo 0 9 * * *"), cronJob("0 9 * * *")} {
		cj.Spec.JobTemplate.ObjectMeta = metav1.ObjectMeta{}
		annotations := newJob(cj, at(1, 14, 0, 0).In(time.FixedZone("x", 3600))).Annotations
		if diff := cmp.Diff(map[string]string{"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T14:00:00Z"}, annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
	}
}
