// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func TestIndexes(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](3), indexed))
	w.goesOn()
	w.become(succeeds, succeeds)
	w.goesOn()
	w.shows("1 active, 2 succeeded, completed 0,1")
	w.become(succeeds)
	w.goesOn()
	w.shows("3 succeeded, completed 0-2, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	for i, pod := range w.all() {
		if indexOf(pod) != i {
			t.Errorf("pod %s has index %d", pod.Name, indexOf(pod))
		}
	}
}

func TestDuplicates(t *testing.T) {
	job := makeJob(3, ptr.To[int32](3), indexed)
	w := newWorld(t, job, podOf(job, "a", 0, in(runs)), podOf(job, "b", 0), podOf(job, "c", 1), podOf(job, "none", -1, in(runs)))
	w.syncs("")
	w.shows("2 active, 1 ready, 2 terminating")
	w.catchUp()
	if got := names(w.all()); len(got) != 2 || got[0] != "a" || got[1] != "c" {
		t.Errorf("pods %v", got)
	}
	w.goesOn()
	w.shows("3 active, 1 ready")
}

// Completions of an Indexed Job may change together with the parallelism.
func TestElasticJobs(t *testing.T) {
	size := func(n int32) func(*batchv1.Job) {
		return func(j *batchv1.Job) { j.Spec.Parallelism, j.Spec.Completions = &n, &n }
	}
	w := newWorld(t, makeJob(3, ptr.To[int32](3), indexed))
	w.goesOn()
	w.set(size(4))
	w.goesOn()
	w.shows("4 active")
	w.become(succeeds, succeeds, failsOnce)
	w.goesOn()
	w.shows("2 active, 2 succeeded, 1 failed, completed 0,1")
	w.set(size(1))
	w.goesOn()
	w.shows("1 succeeded, 1 failed, completed 0, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")

	w = newWorld(t, makeJob(3, ptr.To[int32](3), indexed))
	w.goesOn()
	pods := w.all()
	end(pods[2], succeeds, noon)
	w.update(pods[2])
	w.catchUp()
	w.goesOn()
	w.shows("2 active, 1 succeeded, completed 2")
	w.set(size(2))
	w.goesOn()
	w.shows("2 active")
	w.set(size(3))
	w.goesOn()
	w.shows("3 active")
	w.set(size(0))
	w.goesOn()
	w.shows("SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
}

func TestBackoffPerIndex(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](2), perIndex(1)))
	w.goesOn()
	w.become(failsOnce, runs)
	w.goesOn()
	w.shows("1 active, 1 ready, broken")
	failed := w.all()[0]
	if !tracked(failed) {
		t.Fatal("the failed pod was let go before it was replaced")
	}
	failed.DeletionTimestamp = ptr.To(w.live().CreationTimestamp)
	w.update(failed)
	w.catchUp()
	w.goesOn()
	if !tracked(w.all()[0]) {
		t.Fatal("the failed pod was let go because it was deleted")
	}
	w.clock.Step(10 * time.Second)
	w.goesOn()
	w.shows("2 active, 1 ready, 1 failed, broken")
	var next *corev1.Pod
	for _, pod := range w.all() {
		if indexOf(pod) == 0 {
			next = pod
		}
	}
	if got := next.Annotations[batchv1.JobIndexFailureCountAnnotation]; got != "1" {
		t.Errorf("the replacement has %q failures", got)
	}
	end(next, failsOnce, w.clock.Now())
	w.update(next)
	w.catchUp()
	w.goesOn()
	w.shows("1 active, 1 ready, 2 failed, broken 0")
	w.become(succeeds)
	w.goesOn()
	w.shows("1 succeeded, 2 failed, completed 1, broken 0, FailureTarget(FailedIndexes), Failed(FailedIndexes)")
}

func TestLimitsOfIndexes(t *testing.T) {
	for _, tc := range []struct {
		name string
		job  *batchv1.Job
		n    int
		want string
	}{
		{"one goes on", makeJob(2, ptr.To[int32](2), perIndex(0)), 1, "1 active, 1 failed, broken 0"},
		{"too many", makeJob(3, ptr.To[int32](3), perIndex(0), func(j *batchv1.Job) { j.Spec.MaxFailedIndexes = ptr.To[int32](1) }), 2,
			"3 failed, broken 0,1, FailureTarget(MaxFailedIndexesExceeded), Failed(MaxFailedIndexesExceeded)"},
		{"all", makeJob(2, ptr.To[int32](2), perIndex(0)), 2, "2 failed, broken 0,1, FailureTarget(FailedIndexes), Failed(FailedIndexes)"},
		{"of the Job", makeJob(3, ptr.To[int32](3), perIndex(1), limit(2)), 3, "3 failed, broken, " + exceeded},
		{"by policy", makeJob(2, ptr.To[int32](2), perIndex(5), withPolicy(onCodes("FailIndex", "In", 1))), 1, "1 active, 1 failed, broken 0"},
		{"another code", makeJob(2, ptr.To[int32](2), perIndex(5), withPolicy(onCodes("FailIndex", "In", 13))), 1, "1 active, broken"},
		{"ignored", makeJob(2, ptr.To[int32](2), perIndex(0), withPolicy(onCodes("Ignore", "In", 1))), 1, "1 active, broken"},
	} {
		w := newWorld(t, tc.job)
		w.goesOn()
		phases := make([]corev1.PodPhase, tc.n)
		for i := range phases {
			phases[i] = failsOnce
		}
		w.become(phases...)
		w.goesOn()
		if got := w.summary(); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.name, got, tc.want)
		}
	}
}
