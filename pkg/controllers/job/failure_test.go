// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

const exceeded = "FailureTarget(BackoffLimitExceeded), Failed(BackoffLimitExceeded)"

func TestNoRetries(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](2), limit(0)))
	w.goesOn()
	w.become(failsOnce)
	w.syncs("")
	w.shows("1 terminating, 2 failed, FailureTarget(BackoffLimitExceeded)")
	w.catchUp()
	w.goesOn()
	w.shows("2 failed, " + exceeded)

	job := makeJob(100, ptr.To[int32](100), indexed, limit(0))
	w = newWorld(t, job)
	w.goesOn()
	w.become(failsOnce, succeeds)
	w.goesOn()
	w.shows("1 succeeded, 99 failed, completed 1, " + exceeded)
	for _, pod := range w.all() {
		if tracked(pod) {
			t.Fatalf("%s is still held", pod.Name)
		}
	}
}

// When the pods are gone, nothing tells of their restarts.
func TestRestartsAreWrittenDownFirst(t *testing.T) {
	job := makeJob(1, ptr.To[int32](1), limit(2), func(j *batchv1.Job) { j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure })
	w := newWorld(t, job, podOf(job, "a", 0, in(runs), func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", RestartCount: 2}}
	}))
	w.syncs("")
	var order []string
	for _, a := range w.fake.Actions() {
		if a.GetVerb() == "delete" || a.GetSubresource() == "status" {
			order = append(order, a.GetVerb()+" "+a.GetResource().Resource)
		}
	}
	if len(order) < 2 || order[0] != "update jobs" || order[1] != "delete pods" {
		t.Errorf("requests in the order %v", order)
	}
	w.catchUp()
	w.goesOn()
	w.shows("1 failed, " + exceeded)
}

func TestHeldByAnother(t *testing.T) {
	hold := func(p *corev1.Pod) { p.Finalizers = append(p.Finalizers, "x/y"); p.Spec.NodeName = "n" }
	job := makeJob(2, ptr.To[int32](2), limit(0))
	w := newWorld(t, job, podOf(job, "a", 0, in(failsOnce)), podOf(job, "b", 0, in(runs), hold))
	w.goesOn()
	w.shows("1 terminating, 2 failed, FailureTarget(BackoffLimitExceeded)")
	held := w.pod("b")
	held.Status.Phase = failsOnce
	w.update(held)
	w.catchUp()
	w.goesOn()
	w.shows("2 failed, " + exceeded)

	job = makeJob(2, ptr.To[int32](2), indexed, func(j *batchv1.Job) {
		j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededCount: ptr.To[int32](1)}}}
	})
	w = newWorld(t, job, podOf(job, "a", 0, in(succeeds)), podOf(job, "b", 1, in(runs), hold))
	w.goesOn()
	w.shows("1 terminating, 1 succeeded, completed 0, SuccessCriteriaMet(SuccessPolicy)")
	held = w.pod("b")
	held.Status.Phase = failsOnce
	w.update(held)
	w.catchUp()
	w.goesOn()
	w.shows("1 succeeded, completed 0, SuccessCriteriaMet(SuccessPolicy), Complete(SuccessPolicy)")
}

// The Job must neither end nor get pods while its cache is behind.
func TestUnsettledJobs(t *testing.T) {
	job := makeJob(2, ptr.To[int32](5), limit(0))
	w := newWorld(t, job, podOf(job, "a", 0, in(failsOnce)))
	w.expects(1)
	w.syncs("")
	w.shows("1 failed")
	if w.sent("create pods")+w.sent("delete pods") > 0 {
		t.Error("pods were created or deleted")
	}
	w.expects(0)
	w.catchUp()
	w.goesOn()
	w.shows("1 failed, " + exceeded)
}

func TestRetriesSpaceOut(t *testing.T) {
	w := newWorld(t, makeJob(1, ptr.To[int32](2), limit(100)))
	fail := func(wait time.Duration) {
		t.Helper()
		w.goesOn()
		n := len(w.all())
		w.become(failsOnce)
		w.goesOn()
		w.clock.Step(wait - time.Second)
		w.goesOn()
		if len(w.all()) != n {
			t.Errorf("replaced before %s", wait)
		}
		w.clock.Step(time.Second)
		w.goesOn()
		if len(w.all()) != n+1 {
			t.Errorf("not replaced after %s", wait)
		}
	}
	for _, s := range []int{10, 20, 40, 80, 160, 320, 600, 600} {
		fail(time.Duration(s) * time.Second)
	}
	w.become(succeeds)
	fail(10 * time.Second)
	// Another Job of that name has failed never.
	again := makeJob(1, ptr.To[int32](2))
	again.UID, again.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel] = "other", "other"
	w.become(failsOnce)
	w.goesOn()
	w.expects(1)
	w.must(w.tracker.Update(batchv1.SchemeGroupVersion.WithResource("jobs"), again, "ns"))
	w.catchUp()
	w.goesOn()
	w.shows("1 active")
}

func TestPodFailurePolicies(t *testing.T) {
	disrupted := func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "DisruptionTarget", Status: corev1.ConditionTrue})
	}
	job := makeJob(1, ptr.To[int32](1), limit(0), withPolicy(onCondition("Ignore", "DisruptionTarget")))
	w := newWorld(t, job, podOf(job, "a", 0, in(failsOnce), disrupted))
	w.goesOn()
	w.shows("") // no failure, but it delays
	w.clock.Step(10 * time.Second)
	w.goesOn()
	w.shows("1 active")

	job = makeJob(2, ptr.To[int32](2), withPolicy(onCodes("FailJob", "In", 1)))
	w = newWorld(t, job, podOf(job, "a", 0, in(failsOnce)), podOf(job, "b", 0, in(runs), func(p *corev1.Pod) { p.Spec.NodeName = "n" }))
	w.syncs("")
	w.catchUp()
	w.shows("1 terminating, 2 failed, FailureTarget(PodFailurePolicy)")
	// A new run goes on from there, even if the pod that was the reason is gone.
	w.must(w.tracker.Delete(podsResource, "ns", "a"))
	w = newWorld(t, w.live(), w.pod("b"))
	ended := w.pod("b")
	ended.Status.Phase = failsOnce
	w.update(ended)
	w.catchUp()
	w.goesOn()
	w.shows("2 failed, FailureTarget(PodFailurePolicy), Failed(PodFailurePolicy)")
	if e := w.told(); len(e) != 1 || e[0] != "Warning PodFailurePolicy Container c for pod ns/a failed with exit code 1 matching FailJob rule at index 0" {
		t.Errorf("events %q", e)
	}
}

func TestDecisionsStay(t *testing.T) {
	condition := func(kind batchv1.JobConditionType, status corev1.ConditionStatus) func(*batchv1.Job) {
		return func(j *batchv1.Job) {
			j.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: status, Reason: "Before"}}
		}
	}
	win := func(j *batchv1.Job) {
		j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededCount: ptr.To[int32](1)}}}
	}
	for _, tc := range []struct {
		name string
		job  *batchv1.Job
		want string
	}{
		{"success stays", makeJob(2, ptr.To[int32](3), indexed, limit(0), condition(batchv1.JobSuccessCriteriaMet, "True")),
			"1 succeeded, 1 failed, completed 1, SuccessCriteriaMet(Before), Complete(Before)"},
		{"failure stays", makeJob(2, ptr.To[int32](3), indexed, win, condition(batchv1.JobFailureTarget, "True")),
			"1 succeeded, 1 failed, completed 1, FailureTarget(Before), Failed(Before)"},
		{"failure wins", makeJob(2, ptr.To[int32](3), indexed, limit(0), win), "1 succeeded, 1 failed, completed 1, " + exceeded},
		{"no decision", makeJob(0, ptr.To[int32](3), indexed, condition(batchv1.JobFailureTarget, "False")), "1 succeeded, 1 failed, completed 1, not FailureTarget(Before)"},
		{"policy wins", makeJob(2, ptr.To[int32](3), indexed, win, withPolicy(onCodes("FailJob", "In", 1))),
			"1 succeeded, 1 failed, completed 1, FailureTarget(PodFailurePolicy), Failed(PodFailurePolicy)"},
		{"indexes win", makeJob(2, ptr.To[int32](2), perIndex(0), win), "1 succeeded, 1 failed, completed 1, broken 0, FailureTarget(FailedIndexes), Failed(FailedIndexes)"},
	} {
		w := newWorld(t, tc.job, podOf(tc.job, "a", 0, in(failsOnce)), podOf(tc.job, "b", 1, in(succeeds)))
		w.goesOn()
		if got := w.summary(); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestPodThatChangesItsMind(t *testing.T) {
	job := makeJob(1, ptr.To[int32](1), limit(1))
	job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{Failed: []types.UID{"uid-a"}}
	w := newWorld(t, job, podOf(job, "a", 0, in(succeeds)))
	w.clock.Step(time.Hour)
	w.goesOn()
	w.shows("1 active, 1 failed")
}
