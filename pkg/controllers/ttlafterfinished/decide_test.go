// SPDX-License-Identifier: Apache-2.0

package ttlafterfinished

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// in is so many seconds from now; what has been is negative.
func in(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }

// is makes a condition that is true since then.
func is(kind batchv1.JobConditionType, since time.Time) batchv1.JobCondition {
	return batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since)}
}

// isNot makes a condition that is false since then.
func isNot(kind batchv1.JobConditionType, since time.Time) batchv1.JobCondition {
	c := is(kind, since)
	c.Status = corev1.ConditionFalse
	return c
}

func TestDecide(t *testing.T) {
	const complete, failed = batchv1.JobComplete, batchv1.JobFailed
	type conditions = []batchv1.JobCondition
	nothing := action{}
	wait := func(seconds, finish int) action {
		return action{wait: time.Duration(seconds) * time.Second, finish: in(finish), expiry: in(seconds)}
	}
	remove := func(finish, expiry int) action {
		return action{delete: true, finish: in(finish), expiry: in(expiry)}
	}
	for name, c := range map[string]struct {
		ttl        *int32
		conditions conditions
		want       action
	}{
		"TTL 0":                    {new(int32(0)), conditions{is(complete, in(0))}, remove(0, 0)},
		"TTL 10, just finished":    {new(int32(10)), conditions{is(complete, in(0))}, wait(10, 0)},
		"TTL 15, finished 10s ago": {new(int32(15)), conditions{is(complete, in(-10))}, wait(5, -10)},
		"TTL 10, over this moment": {new(int32(10)), conditions{is(complete, in(-10))}, remove(-10, 0)},
		"TTL 10, long over":        {new(int32(10)), conditions{is(complete, in(-60))}, remove(-60, -50)},
		"failed, to wait":          {new(int32(15)), conditions{is(failed, in(-10))}, wait(5, -10)},
		"failed, over":             {new(int32(15)), conditions{is(failed, in(-15))}, remove(-15, 0)},
		"finished in the future":   {new(int32(10)), conditions{is(complete, in(30))}, wait(40, 30)},
		"the longest TTL":          {new(int32(1<<31 - 1)), conditions{is(complete, in(0))}, wait(1<<31-1, 0)},
		"the first ending counts":  {new(int32(10)), conditions{isNot(failed, in(-90)), is(complete, in(-20)), is(failed, in(-5))}, remove(-20, -10)},
		"no TTL":                   {nil, conditions{is(complete, in(-60))}, nothing},
		"not begun":                {new(int32(0)), nil, nothing},
		"only decided": {new(int32(0)), conditions{is(batchv1.JobSuccessCriteriaMet, in(-60)),
			is(batchv1.JobFailureTarget, in(-60)), isNot(complete, in(-60))}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{Spec: batchv1.JobSpec{TTLSecondsAfterFinished: c.ttl}, Status: batchv1.JobStatus{Conditions: c.conditions}}
			got, err := decide(job, now)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(action{})); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			job.DeletionTimestamp = new(metav1.NewTime(now))
			if got, err := decide(job, now); got != nothing || err != nil {
				t.Errorf("being deleted: got %+v, %v, want nothing", got, err)
			}
		})
	}
}

func TestDecideWithoutAFinishTime(t *testing.T) {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "job"},
		Spec:       batchv1.JobSpec{TTLSecondsAfterFinished: new(int32(0))},
		Status:     batchv1.JobStatus{Conditions: []batchv1.JobCondition{is(batchv1.JobFailed, time.Time{})}},
	}
	got, err := decide(job, now)
	if want := "unable to find the time when the Job ns/job finished"; got.delete || err == nil || err.Error() != want {
		t.Errorf("got %+v, %v, want the error %q", got, err, want)
	}
}

// A Job is deleted now, or after exactly the wait that was decided.
func FuzzDecideAgain(f *testing.F) {
	f.Add(int32(0), int32(0))
	f.Add(int32(15), int32(-10))
	f.Fuzz(func(t *testing.T, ttl, finish int32) {
		job := &batchv1.Job{
			Spec:   batchv1.JobSpec{TTLSecondsAfterFinished: &ttl},
			Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{is(batchv1.JobComplete, in(int(finish)))}},
		}
		first, _ := decide(job, now)
		if first.delete == (first.wait > 0) {
			t.Errorf("%+v", first)
		}
		if again, err := decide(job, now.Add(first.wait)); !again.delete || err != nil {
			t.Errorf("%+v and then %+v, %v", first, again, err)
		}
	})
}
