// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

const (
	atTen    = "report-29454360"
	atEleven = "report-29454420"
)

var errBroken = errors.New("broken")

// Two runs from the start to the end, with what each step costs, and no warning.
func TestTwoRuns(t *testing.T) {
	w := newWorld(t, at(1, 9, 50, 0), cronJob(hourly, keeping(new(int32(1)), new(int32(1)))))
	w.syncs(10 * time.Minute)
	w.clock.SetTime(at(1, 10, 0, 1))
	w.syncs(time.Hour-time.Second, "create jobs", "update cronjobs/status")
	w.told("Normal SuccessfulCreate Created job " + atTen)
	w.lists(atTen)
	w.catchUp()
	w.syncs(time.Hour - time.Second)
	want := batchv1.CronJobStatus{
		Active:           []corev1.ObjectReference{{APIVersion: "batch/v1", Kind: "Job", Namespace: "ns", Name: atTen, UID: "uid-" + atTen}},
		LastScheduleTime: &metav1.Time{Time: at(1, 10, 0, 0)},
	}
	if diff := cmp.Diff(want, w.live().Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}

	w.become(atTen, begun(at(1, 10, 0, 2)))
	w.become(atTen, completed(at(1, 10, 5, 0)))
	w.catchUp()
	w.syncs(time.Hour-time.Second, "update cronjobs/status")
	w.told("Normal SawCompletedJob Saw completed job: " + atTen + ", condition: Complete")
	w.lists()

	w.catchUp()
	w.clock.SetTime(at(1, 11, 0, 1))
	w.syncs(time.Hour-time.Second, "create jobs", "update cronjobs/status")
	w.become(atEleven, begun(at(1, 11, 0, 2)))
	w.become(atEleven, completed(at(1, 11, 5, 0)))
	w.catchUp()
	w.syncs(time.Hour-time.Second, "delete jobs", "update cronjobs/status")
	w.told("Normal SuccessfulCreate Created job "+atEleven, "Normal SuccessfulDelete Deleted job "+atTen,
		"Normal SawCompletedJob Saw completed job: "+atEleven+", condition: Complete")
	w.has(atEleven)
	want = batchv1.CronJobStatus{LastScheduleTime: &metav1.Time{Time: at(1, 11, 0, 0)}, LastSuccessfulTime: &metav1.Time{Time: at(1, 11, 5, 0)}}
	if diff := cmp.Diff(want, w.live().Status, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	w.catchUp()
	w.syncs(time.Hour - time.Second)
	if n := w.skews(); n != 2 {
		t.Errorf("%d skews were measured", n)
	}
}

func TestCachesBehind(t *testing.T) {
	const rest = 59 * time.Minute
	w := newWorld(t, at(1, 10, 1, 0), cronJob(hourly))
	w.syncs(rest, "create jobs", "update cronjobs/status")
	w.told("Normal SuccessfulCreate Created job " + atTen)
	w.jobsCatchUp()
	w.syncs(rest, "get cronjobs") // the new Job is not listed in the cache
	w.lists(atTen)

	w = newWorld(t, at(1, 10, 1, 0), cronJob(hourly))
	w.syncs(rest, "create jobs", "update cronjobs/status")
	w.cronJobsCatchUp()
	w.syncs(rest, "get jobs") // the listed Job is not in the cache
	w.lists(atTen)
	w.told("Normal SuccessfulCreate Created job " + atTen)
}

func TestStatusWriteFails(t *testing.T) {
	w := newWorld(t, at(1, 10, 1, 0), cronJob(hourly))
	w.broken["update cronjobs/status"] = errBroken
	w.fails("broken", none, "create jobs", "update cronjobs/status")
	delete(w.broken, "update cronjobs/status")
	// Neither cache shows anything.
	w.syncs(59*time.Minute, "create jobs", "get jobs", "update cronjobs/status")
	w.lists(atTen)
	w.told("Normal SuccessfulCreate Created job " + atTen)
	if n := w.skews(); n != 1 {
		t.Errorf("%d skews were measured", n)
	}
}

func TestNameIsTaken(t *testing.T) {
	w := newWorld(t, at(1, 10, 1, 0), cronJob(hourly), job(atTen, func(j *batchv1.Job) { j.OwnerReferences[0].UID = "former" }))
	w.syncs(none, "create jobs", "get jobs")
	w.broken["get jobs"] = errBroken
	w.fails("broken", none, "create jobs", "get jobs")
	w.told()
}

func TestStrangers(t *testing.T) {
	const rest = 10 * time.Minute
	unexpected := "Warning UnexpectedJob Saw a job that the controller did not create or forgot: manual"
	w := newWorld(t, at(1, 9, 50, 0), cronJob(hourly), job("manual"))
	w.syncs(rest, "get cronjobs")
	w.told(unexpected)
	w.lists()
	w.broken["get cronjobs"] = errBroken
	w.fails("broken", none, "get cronjobs")
	delete(w.broken, "get cronjobs")
	w.become("manual", completed(at(1, 9, 51, 0)))
	w.jobsCatchUp()
	w.syncs(rest, "update cronjobs/status")
	w.told()
	if s := w.live().Status.LastSuccessfulTime; s == nil {
		t.Error("no time of success")
	}

	w = newWorld(t, at(1, 9, 50, 0), cronJob(hourly), job("manual"))
	again := w.live()
	again.UID = "another"
	w.must(w.tracker.Update(cronJobsResource, again, "ns"))
	w.syncs(none, "get cronjobs")
	w.must(w.tracker.Delete(cronJobsResource, "ns", "report"))
	w.syncs(none, "get cronjobs")
	w.told()
}

func TestMissingJobs(t *testing.T) {
	gone := job("gone")
	w := newWorld(t, at(1, 9, 50, 0), cronJob(hourly, listing(gone)))
	w.broken["get jobs"] = errBroken
	w.fails("is the Job ns/gone there: broken", none, "get jobs")
	w.lists("gone")
	delete(w.broken, "get jobs")
	w.syncs(10*time.Minute, "get jobs", "update cronjobs/status")
	w.told("Normal MissingJob Active job went missing: gone")
	w.lists()
}

// A status that is out of date is written even when the CronJob asks for no run.
func TestAccountsForJobsOfIdleCronJobs(t *testing.T) {
	for name, idle := range map[string]change{
		"suspended": suspended,
		"deleted": func(cj *batchv1.CronJob) {
			cj.DeletionTimestamp, cj.Finalizers = &metav1.Time{Time: made}, []string{"test/hold"}
		},
		"unparseable": func(cj *batchv1.CronJob) { cj.Spec.Schedule = "bad" },
	} {
		t.Run(name, func(t *testing.T) {
			runs, done := job("runs"), job("done", completed(made))
			w := newWorld(t, at(1, 12, 0, 0), cronJob(hourly, listing(runs, done), idle), runs, done)
			w.syncs(none, "update cronjobs/status")
			w.lists("runs")
			w.has("done", "runs")
		})
	}
}

func TestReplace(t *testing.T) {
	const rest = 59 * time.Minute
	old := []*batchv1.Job{job("a"), job("b")}
	start := func(t *testing.T) *world {
		return newWorld(t, at(1, 10, 1, 0), cronJob(hourly, policy(batchv1.ReplaceConcurrent), listing(old...)), old...)
	}
	t.Run("done", func(t *testing.T) {
		w := start(t)
		w.syncs(rest, "get jobs", "delete jobs", "get jobs", "delete jobs", "create jobs", "update cronjobs/status")
		w.told("Normal SuccessfulDelete Deleted job a", "Normal SuccessfulDelete Deleted job b", "Normal SuccessfulCreate Created job "+atTen)
		w.lists(atTen)
		w.has(atTen)
	})
	t.Run("not found out", func(t *testing.T) {
		w := start(t)
		w.broken["get jobs"] = errBroken
		w.fails("broken", none, "get jobs")
		w.told("Warning FailedGet Get job: broken")
		w.lists("a", "b")
	})
	t.Run("not deleted", func(t *testing.T) {
		w := start(t)
		w.broken["delete jobs"] = errBroken
		w.fails("could not replace job ns/a: broken", none, "get jobs", "delete jobs")
		w.told("Warning FailedDelete Deleted job: broken")
		w.lists("a", "b")
	})
	t.Run("deleted and not created", func(t *testing.T) {
		w := start(t)
		w.broken["create jobs"] = errBroken
		w.fails("broken", none, "get jobs", "delete jobs", "get jobs", "delete jobs", "create jobs", "update cronjobs/status")
		w.told("Normal SuccessfulDelete Deleted job a", "Normal SuccessfulDelete Deleted job b", "Warning FailedCreate Error creating job: broken")
		w.lists()
	})
}

func TestHistory(t *testing.T) {
	done, broke := job("done", completed(at(1, 9, 30, 0))), job("broke", failed)
	start := func(t *testing.T) *world {
		return newWorld(t, at(1, 10, 1, 0), cronJob(hourly, keeping(new(int32(0)), new(int32(0))), listing(done)), done, broke)
	}
	t.Run("before a creation that a quota refuses", func(t *testing.T) {
		w := start(t)
		w.broken["create jobs"] = errBroken
		w.fails("broken", none, "update cronjobs/status", "delete jobs", "delete jobs", "create jobs", "update cronjobs/status")
		w.told("Normal SuccessfulDelete Deleted job done", "Normal SuccessfulDelete Deleted job broke", "Warning FailedCreate Error creating job: broken")
		w.has()
		w.lists()
		if s := w.live().Status.LastSuccessfulTime; s == nil || !s.Time.Equal(at(1, 9, 30, 0)) {
			t.Errorf("last success %v", s)
		}
	})
	t.Run("a failure holds nothing up", func(t *testing.T) {
		w := start(t)
		w.broken["delete jobs"] = errBroken
		w.syncs(59*time.Minute, "update cronjobs/status", "delete jobs", "delete jobs", "create jobs", "update cronjobs/status")
		w.told("Warning FailedDelete Deleted job: broken", "Warning FailedDelete Deleted job: broken",
			"Normal SawCompletedJob Saw completed job: done, condition: Complete", "Normal SuccessfulCreate Created job "+atTen)
	})
	t.Run("not before its success is written down", func(t *testing.T) {
		w := start(t)
		w.broken["update cronjobs/status"] = errBroken
		w.fails("broken", none, "update cronjobs/status")
		w.told()
	})
	t.Run("gone already", func(t *testing.T) {
		w := start(t)
		w.must(w.tracker.Delete(jobsResource, "ns", "done"))
		w.must(w.tracker.Delete(jobsResource, "ns", "broke"))
		w.syncs(59*time.Minute, "update cronjobs/status", "delete jobs", "delete jobs", "create jobs", "update cronjobs/status")
		w.told("Normal SuccessfulCreate Created job " + atTen)
		w.lists(atTen)
	})
}

func TestClosingNamespace(t *testing.T) {
	w := newWorld(t, at(1, 10, 1, 0), cronJob(hourly))
	refusal := apierrors.NewForbidden(batchv1.Resource("jobs"), atTen, errors.New("closing"))
	refusal.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	w.broken["create jobs"] = refusal
	w.fails(refusal.Error(), none, "create jobs")
	w.told()
	var quiet interface{ Expected() bool }
	_, err := w.reconcile(t.Context(), key{Namespace: "ns", Name: "report"})
	if !errors.As(err, &quiet) || !quiet.Expected() || !errors.Is(err, refusal) {
		t.Errorf("error %v is not an expected one", err)
	}
}

// What only means that the run is being stopped is nobody's fault.
func TestStopping(t *testing.T) {
	done, old := job("done", failed), job("old")
	tests := map[string][]string{
		"create jobs": {"Normal SuccessfulDelete Deleted job done", "Normal SuccessfulDelete Deleted job old"},
		"get jobs":    {"Normal SuccessfulDelete Deleted job done"},
		"delete jobs": nil,
	}
	for request, events := range tests {
		t.Run(request, func(t *testing.T) {
			w := newWorld(t, at(1, 10, 1, 0),
				cronJob(hourly, policy(batchv1.ReplaceConcurrent), keeping(nil, new(int32(0))), listing(old)), done, old)
			w.broken[request] = client.ErrStopping
			w.broken["update cronjobs/status"] = client.ErrStopping
			if _, err := w.reconcile(t.Context(), key{Namespace: "ns", Name: "report"}); !errors.Is(err, client.ErrStopping) {
				t.Errorf("error %v", err)
			}
			w.told(events...)
		})
	}
}

func TestScheduleChanged(t *testing.T) {
	w := newWorld(t, at(1, 12, 0, 0), cronJob("bad"))
	old := w.live()
	old.Spec.Schedule = hourly
	w.updated(old, w.live())
	w.told("Warning UnParseableCronJobSchedule unparseable schedule for cronjob: bad")
	w.updated(w.live(), w.live()) // no change of that
	w.updated(w.live(), old)
	w.told()
}

func TestGone(t *testing.T) {
	w := newWorld(t, at(1, 12, 0, 0), cronJob(hourly))
	w.must(w.sync(t.Context(), key{Namespace: "ns", Name: "other"}))
	if n := len(w.fake.Actions()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// A result that is no error has the queue forget earlier failures.
func TestFailureIsForgotten(t *testing.T) {
	w := newWorld(t, at(1, 10, 1, 0), cronJob(hourly))
	w.broken["create jobs"] = errBroken
	if err := w.sync(t.Context(), key{Namespace: "ns", Name: "report"}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	delete(w.broken, "create jobs")
	w.must(w.sync(t.Context(), key{Namespace: "ns", Name: "report"}))
}
