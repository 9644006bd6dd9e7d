// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

func TestOnePod(t *testing.T) {
	w := newWorld(t, makeJob(1, ptr.To[int32](1)))
	w.goesOn()
	w.shows("1 active")
	w.become(runs)
	w.goesOn()
	w.shows("1 active, 1 ready")
	w.become(succeeds)
	w.goesOn()
	w.shows("1 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	if diff := cmp.Diff([]string{"Normal Completed Job completed"}, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s := w.live().Status
	if s.CompletionTime == nil || s.StartTime == nil || s.UncountedTerminatedPods == nil {
		t.Errorf("status %+v", s)
	}
	if len(w.all()[0].Finalizers) > 0 {
		t.Error("the pod is still held")
	}
}

func TestRequests(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](2)))
	expect := func(creates, patches, statuses int) {
		t.Helper()
		if c, p, s := w.sent("create pods"), w.sent("patch pods"), w.sent("update jobs/status"); c != creates || p != patches || s != statuses {
			t.Errorf("%d creations, %d patches, %d writes of status; want %d, %d, %d", c, p, s, creates, patches, statuses)
		}
		w.fake.ClearActions()
	}
	w.syncs("")
	expect(2, 0, 1)
	w.catchUp()
	w.syncs("")
	expect(0, 0, 0)
	w.become(succeeds, succeeds)
	w.syncs("")
	expect(0, 2, 2)
	w.catchUp()
	w.syncs("")
	expect(0, 0, 0)
}

func TestCountsWait(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](4)))
	syncs := func(statuses int, shows string) {
		t.Helper()
		w.must(w.sync(w.ctx, theJob))
		if n := w.sent("update jobs/status"); n != statuses {
			t.Errorf("%d writes of status, want %d", n, statuses)
		}
		w.shows(shows)
		w.fake.ClearActions()
		w.catchUp()
	}
	syncs(1, "2 active") // it begins
	w.become(runs, runs)
	syncs(0, "2 active")
	w.patience.Step(pacing.Later)
	syncs(1, "2 active, 2 ready")
	w.become(succeeds, succeeds)
	syncs(1, "2 active, 2 uncounted") // on record, before the pods are let go
	w.become(succeeds, succeeds)
	syncs(2, "4 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)") // the end does not wait
}

func TestParallelism(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](5)))
	w.goesOn()
	w.shows("2 active")

	job := makeJob(3, ptr.To[int32](4))
	job.Status.Succeeded = 2
	w = newWorld(t, job, podsOf(job, 3)...)
	w.syncs("")
	w.shows("2 active, 1 terminating, 2 succeeded")

	job = makeJob(2, ptr.To[int32](20))
	w = newWorld(t, job, podsOf(job, 10, in(runs))...)
	w.syncs("")
	w.shows("2 active, 2 ready, 8 terminating")
	if n := w.sent("delete pods"); n != 8 {
		t.Errorf("%d deletions", n)
	}
	w.catchUp()
	w.goesOn()
	w.shows("2 active, 2 ready")
}

func TestSlowStart(t *testing.T) {
	w := newWorld(t, makeJob(100, nil))
	w.limit = 10
	w.syncs("no more than 10 pods")
	w.shows("10 active")
	if n := w.sent("create pods"); n != 15 || w.outstanding() != 10 {
		t.Errorf("%d attempts, %d expected", n, w.outstanding())
	}
	w.limit = 1000
	w.catchUp()
	w.goesOn()
	w.shows("100 active")
}

func TestBurst(t *testing.T) {
	w := newWorld(t, makeJob(600, nil))
	w.syncs("")
	w.shows("500 active")
	w.syncs("") // nothing was observed yet
	if n := len(w.all()); n != 500 {
		t.Errorf("%d pods", n)
	}
	w.catchUp()
	w.syncs("")
	w.shows("600 active")
}

func TestWithoutCompletions(t *testing.T) {
	w := newWorld(t, makeJob(3, nil))
	w.goesOn()
	w.become(succeeds)
	w.goesOn()
	w.shows("2 active, 1 succeeded")
	w.become(failsOnce)
	w.clock.Step(time.Hour)
	w.goesOn()
	w.shows("1 active, 1 succeeded, 1 failed")
	w.become(succeeds)
	w.goesOn()
	w.shows("2 succeeded, 1 failed, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
}

func TestSuspend(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](4)))
	w.goesOn()
	w.become(runs, runs)
	w.goesOn()
	w.set(onHold)
	w.syncs("")
	w.shows("2 terminating, Suspended(JobSuspended)")
	w.catchUp()
	w.goesOn()
	w.shows("Suspended(JobSuspended)")
	if w.live().Status.StartTime != nil {
		t.Error("the start time is still there")
	}
	if diff := cmp.Diff([]string{"Normal Suspended Job suspended"}, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	w.clock.Step(time.Minute)
	w.set(func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(false) })
	w.goesOn()
	w.shows("2 active, not Suspended(JobResumed)")
	if at := w.live().Status.StartTime; at == nil || !at.Equal(ptr.To(metav1.NewTime(w.clock.Now()))) {
		t.Errorf("started at %v", at)
	}
	if diff := cmp.Diff([]string{"Normal Resumed Job resumed"}, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// set changes the Job as a user does.
func (w *world) set(change func(*batchv1.Job)) {
	job := w.live().DeepCopy()
	change(job)
	job.Generation++
	w.must(w.tracker.Update(batchv1.SchemeGroupVersion.WithResource("jobs"), job, "ns"))
	w.catchUp()
}

func TestBornSuspended(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](4), onHold))
	w.goesOn()
	w.shows("Suspended(JobSuspended)")
	w.goesOn()
	if n := w.sent("update jobs/status"); n != 0 {
		t.Errorf("%d writes", n)
	}

	w = newWorld(t, makeJob(2, ptr.To[int32](0), onHold))
	w.goesOn()
	w.shows("SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	if w.sent("update jobs/status") > 1 {
		t.Error("more than one write")
	}
}

func TestDeletedWhileSuspended(t *testing.T) {
	job := makeJob(2, ptr.To[int32](4), onHold, func(j *batchv1.Job) {
		j.DeletionTimestamp, j.Finalizers = ptr.To(metav1.NewTime(noon)), []string{"x/y"}
	})
	w := newWorld(t, job, podsOf(job, 2)...)
	w.goesOn()
	w.shows("2 active")
	for _, pod := range w.all() {
		if len(pod.Finalizers) > 0 || pod.DeletionTimestamp != nil {
			t.Errorf("pod %s: %v", pod.Name, pod.ObjectMeta)
		}
	}
}

func TestReplacementPolicy(t *testing.T) {
	onNode := func(p *corev1.Pod) { p.Spec.NodeName = "n" }
	job := makeJob(2, ptr.To[int32](2), replaceFailed)
	w := newWorld(t, job, podsOf(job, 2, terminating, onNode)...)
	w.goesOn()
	w.shows("2 terminating")
	for _, pod := range w.all() {
		end(pod, failsOnce, noon)
		w.update(pod)
	}
	w.catchUp()
	w.goesOn()
	w.shows("2 failed")
	w.clock.Step(time.Hour)
	w.goesOn()
	w.shows("2 active, 2 failed")

	job = makeJob(2, ptr.To[int32](2))
	job.Spec.BackoffLimit = ptr.To[int32](6)
	w = newWorld(t, job, podsOf(job, 2, terminating, onNode)...)
	w.clock.Step(time.Hour)
	w.goesOn()
	w.shows("2 active, 2 terminating, 2 failed")
}

func TestDeadline(t *testing.T) {
	deadline := func(j *batchv1.Job) {
		j.Spec.ActiveDeadlineSeconds = ptr.To[int64](10)
		j.Status.StartTime = ptr.To(metav1.NewTime(noon))
	}
	failed := "Failed(DeadlineExceeded)"
	for _, tc := range []struct {
		name  string
		job   *batchv1.Job
		after time.Duration
		want  string
	}{
		{"before", makeJob(1, nil, deadline), 9 * time.Second, "1 active"},
		{"at", makeJob(1, nil, deadline), 10 * time.Second, "FailureTarget(DeadlineExceeded), " + failed},
		{"after", makeJob(1, nil, deadline), 15 * time.Second, "FailureTarget(DeadlineExceeded), " + failed},
		{"suspended", makeJob(1, nil, deadline, onHold), 15 * time.Second, "Suspended(JobSuspended)"},
	} {
		w := newWorld(t, tc.job)
		w.clock.Step(tc.after)
		w.goesOn()
		if diff := cmp.Diff(tc.want, w.summary()); diff != "" {
			t.Errorf("%s: status (-want +got):\n%s", tc.name, diff)
		}
	}
	job := makeJob(1, nil, deadline, limit(0))
	w := newWorld(t, job, podOf(job, "a", 0, in(failsOnce)))
	w.clock.Step(time.Minute)
	w.goesOn()
	w.shows("1 failed, FailureTarget(BackoffLimitExceeded), Failed(BackoffLimitExceeded)")
	want := []string{"Warning BackoffLimitExceeded Job has reached the specified backoff limit"}
	if diff := cmp.Diff(want, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUnknownMode(t *testing.T) {
	w := newWorld(t, makeJob(1, nil, func(j *batchv1.Job) { j.Spec.CompletionMode = ptr.To(batchv1.CompletionMode("Sideways")) }))
	w.syncs("")
	w.shows("")
	if diff := cmp.Diff([]string{"Warning UnknownCompletionMode Skipped Job sync because completion mode is unknown"}, w.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestManagedByAnother(t *testing.T) {
	job := makeJob(1, nil, func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("example.com/multi") })
	w := newWorld(t, job, podOf(job, "a", 0, in(succeeds)))
	w.syncs("")
	w.must(w.syncOrphan(w.ctx, orphan{namespace: "ns", name: "a"}))
	if n := len(w.fake.Actions()); n > 0 || len(w.memory.records) > 0 {
		t.Errorf("%d requests", n)
	}
	own := makeJob(1, nil, func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To(batchv1.JobControllerName) })
	w = newWorld(t, own)
	w.goesOn()
	w.shows("1 active")
}
