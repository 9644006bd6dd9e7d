// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func TestManyPodsEnd(t *testing.T) {
	job := makeJob(501, ptr.To[int32](501), limit(9))
	p := look(job, append([]*corev1.Pod{podOf(job, "first", 0, in(failsOnce))}, podsOf(job, 500, in(succeeds))...)...)
	a := p.account()
	if u := p.job.Status.UncountedTerminatedPods; len(u.Succeeded) != 499 || len(u.Failed) != 1 || len(a.pods) != 500 || !a.full {
		t.Errorf("%d succeeded, %d failed, %d let go, full %t", len(u.Succeeded), len(u.Failed), len(a.pods), a.full)
	}

	job = makeJob(501, ptr.To[int32](501), indexed)
	p = look(job, podsOf(job, 501, in(succeeds))...)
	if a := p.account(); p.job.Status.CompletedIndexes != "0-499" || p.job.Status.Succeeded != 500 || len(a.pods) != 500 || !a.full {
		t.Errorf("completed %s, %d let go, full %t", p.job.Status.CompletedIndexes, len(a.pods), a.full)
	}
}

// A sync that could not let go of all pods does not end the Job.
func TestFullSyncsDoNotFinish(t *testing.T) {
	job := makeJob(501, ptr.To[int32](501), indexed)
	w := newWorld(t, job, podsOf(job, 501, in(succeeds))...)
	w.syncs("")
	w.shows("500 succeeded, completed 0-499, SuccessCriteriaMet(CompletionsReached)")
	w.catchUp()
	w.syncs("")
	w.shows("501 succeeded, completed 0-500, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
}

// fail has the next requests of a sort fail.
func (w *world) fail(verb, resource string, times int, err error) {
	w.fake.PrependReactor(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		times--
		return times >= 0, nil, err
	})
}

func TestErrorsLoseNothing(t *testing.T) {
	conflict := apierrors.NewConflict(batchv1.Resource("jobs"), "pi", errors.New("changed"))
	job := makeJob(3, ptr.To[int32](3), limit(9))
	three := func() *world {
		w := newWorld(t, job, podsOf(job, 3, in(succeeds))...)
		w.told()
		return w
	}
	done := "3 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)"

	w := three()
	w.fail("update", "jobs", 1, conflict)
	w.syncs(conflict.Error())
	if w.sent("patch pods") > 0 {
		t.Error("pods were let go before they were on record")
	}
	w.goesOn()
	w.shows(done)

	w = three()
	w.fail("patch", "pods", 2, errors.New("no"))
	w.syncs("no")
	w.shows("1 succeeded, 2 uncounted, SuccessCriteriaMet(CompletionsReached)")
	w.catchUp()
	w.goesOn()
	w.shows(done)

	// The numbers are not written, which another run makes good.
	w = three()
	n := 0
	w.fake.PrependReactor("update", "jobs", func(clienttesting.Action) (bool, runtime.Object, error) {
		n++
		return n == 2, nil, conflict
	})
	w.syncs(conflict.Error())
	w.shows("3 uncounted, SuccessCriteriaMet(CompletionsReached)")
	w = newWorld(t, w.live(), w.all()...)
	w.goesOn()
	w.shows(done)
	if len(w.told()) != 1 {
		t.Error("not told once")
	}

	w = three()
	w.fail("patch", "pods", 1, apierrors.NewNotFound(corev1.Resource("pods"), "x"))
	w.syncs("")
	w.shows(done)
}

// A finished Job never gets another pod, even while the cache does not show that
// it is finished.
func TestLateNews(t *testing.T) {
	w := newWorld(t, makeJob(1, ptr.To[int32](1)))
	w.goesOn()
	w.become(succeeds)
	before := w.job
	w.syncs("")
	w.must(w.tracker.Delete(podsResource, "ns", w.all()[0].Name))
	w.seen = map[string]*corev1.Pod{}
	*w.jobs.jobs = informer.CacheOf(informer.Jobs(), before)
	*w.pods = informer.CacheOf(informer.Pods())
	w.fake.ClearActions()
	w.syncs("")
	if n := len(w.fake.Actions()); n > 0 {
		t.Errorf("%d requests", n)
	}
	w.catchUp()
	if len(w.memory.records) > 0 {
		t.Error("the Job is still remembered")
	}
}

func TestAwaitedPodsAreNotCountedAgain(t *testing.T) {
	job := makeJob(0, ptr.To[int32](3))
	w := newWorld(t, job, podOf(job, "a", 0, in(succeeds)))
	w.syncs("")
	stale := podOf(job, "a", 0, in(succeeds))
	*w.pods = informer.CacheOf(informer.Pods(), stale)
	*w.jobs.jobs = informer.CacheOf(informer.Jobs(), w.live())
	w.syncs("")
	w.shows("1 succeeded")
}

func TestOwnWritesAreAwaited(t *testing.T) {
	w := newWorld(t, makeJob(1, nil))
	w.written.Wrote(w.job, podResource, &metav1.ObjectMeta{ResourceVersion: "5"})
	cache := informer.CacheOf(informer.Pods(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "x", ResourceVersion: "4"}})
	*w.pods = cache
	w.syncs("read version: 4 is not as new as written version: 5 for group resource pods")
	if n := w.metric("stale_sync_skips_total", "", "pods"); n != 1 {
		t.Errorf("%v skips", n)
	}
	w.jobDeleted(w.job)
	w.syncs("")
}

func TestGoneJobs(t *testing.T) {
	job := makeJob(1, nil)
	w := newWorld(t, job)
	w.syncs("")
	w.memory.setBackoff(job, backoff{failures: 3})
	w.expects(1)
	*w.jobs.jobs = informer.CacheOf(informer.Jobs())
	w.syncs("")
	if len(w.memory.records) > 0 || w.outstanding() != 0 {
		t.Error("the Job is still remembered")
	}
}

func TestClosingNamespace(t *testing.T) {
	denial := apierrors.NewForbidden(corev1.Resource("pods"), "pi-", errors.New("it is being terminated"))
	denial.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	w := newWorld(t, makeJob(3, nil))
	w.fail("create", "pods", 99, denial)
	w.syncs("")
	w.shows("3 active")
	if len(w.events.Events) > 0 || w.outstanding() != 3 {
		t.Errorf("%d events, %d expected", len(w.events.Events), w.outstanding())
	}
}

func TestStoppingLeavesNoTrace(t *testing.T) {
	w := newWorld(t, makeJob(3, nil))
	w.fail("create", "pods", 99, client.ErrStopping)
	w.syncs(client.ErrStopping.Error())
	w.shows("")
	if len(w.events.Events) > 0 || w.sent("update jobs/status") > 0 {
		t.Error("somebody was told")
	}
	if err := w.sync(canceled(), key{Namespace: "ns", Name: "pi"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestTooManySucceeded(t *testing.T) {
	job := makeJob(1, ptr.To[int32](1))
	w := newWorld(t, job, podsOf(job, 2, in(succeeds))...)
	w.goesOn()
	want := "Warning TooManySucceededPods Too many succeeded pods running after completion count reached|Normal Completed Job completed"
	if got := strings.Join(w.told(), "|"); got != want {
		t.Errorf("events %q", got)
	}
}

func TestAdoptionAndRelease(t *testing.T) {
	job := makeJob(2, nil)
	stray := podOf(job, "stray", 0, free, func(p *corev1.Pod) { p.OwnerReferences = nil })
	leaver := podOf(job, "leaver", 0, func(p *corev1.Pod) { p.Labels = map[string]string{"x": "y"} })
	w := newWorld(t, job, stray, leaver, podOf(job, "own", 0))
	w.goesOn()
	w.shows("2 active")
	if got := w.pod("stray"); !tracked(got) || !metav1.IsControlledBy(got, job) {
		t.Errorf("stray %+v", got.ObjectMeta)
	}
	if got := w.pod("leaver"); tracked(got) || len(got.OwnerReferences) > 0 {
		t.Errorf("leaver %+v", got.ObjectMeta)
	}

	// The server knows more than the cache.
	w = newWorld(t, job, stray)
	deleted := job.DeepCopy()
	deleted.DeletionTimestamp, deleted.Finalizers = ptr.To(metav1.NewTime(noon)), []string{"x/y"}
	w.must(w.tracker.Update(batchv1.SchemeGroupVersion.WithResource("jobs"), deleted, "ns"))
	if err := w.sync(w.ctx, key{Namespace: "ns", Name: "pi"}); err == nil || !strings.Contains(err.Error(), "can't adopt Pod ns/stray (uid-stray)") {
		t.Errorf("got %v", err)
	}
	w.catchUp()
	w.goesOn()
	if w.sent("patch pods") > 0 || len(w.pod("stray").OwnerReferences) > 0 {
		t.Error("a Job that is deleted has adopted")
	}
}

// A pod that was adopted counts at once, though its cached form has no finalizer.
func TestAdoptedAfterTheEnd(t *testing.T) {
	job := makeJob(1, ptr.To[int32](1))
	w := newWorld(t, job, podOf(job, "stray", 0, free, in(succeeds), func(p *corev1.Pod) { p.OwnerReferences = nil }))
	w.goesOn()
	w.shows("1 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
}

func TestOrphans(t *testing.T) {
	job := makeJob(1, nil)
	ended := makeJob(1, nil, func(j *batchv1.Job) {
		j.Name, j.UID = "ended", "ended-uid"
		j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
	})
	owned := func(apiVersion, kind, name string, uid types.UID) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid, Controller: ptr.To(true)}}
		}
	}
	for _, tc := range []struct {
		name string
		pod  *corev1.Pod
		held bool
	}{
		{"of nobody", podOf(job, "a", 0, func(p *corev1.Pod) { p.OwnerReferences = nil }), false},
		{"of a Job that is gone", podOf(job, "a", 0, owned("batch/v1", "Job", "gone", "gone-uid")), false},
		{"of a former Job", podOf(job, "a", 0, owned("batch/v1", "Job", "pi", "former")), false},
		{"of a Job that goes on", podOf(job, "a", 0), true},
		{"of a Job that has ended", podOf(ended, "a", 0), false},
		{"of another kind", podOf(job, "a", 0, owned("batch/v1", "CronJob", "pi", "pi-uid")), true},
		{"of another group", podOf(job, "a", 0, owned("example.com/v1", "Job", "pi", "gone-uid")), true},
	} {
		for _, o := range []orphan{{namespace: "ns", name: "a"}, {namespace: "ns", selector: batchv1.ControllerUidLabel + "=pi-uid"}} {
			w := newWorld(t, job, tc.pod)
			*w.jobs.jobs = informer.CacheOf(informer.Jobs(), job, ended)
			w.must(w.syncOrphan(w.ctx, o))
			if got := tracked(w.pod("a")); got != tc.held {
				t.Errorf("%s by %v: held %t, want %t", tc.name, o, got, tc.held)
			}
		}
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t, makeJob(2, ptr.To[int32](2), perIndex(0), withPolicy(onCodes("FailIndex", "In", 1))))
	w.goesOn()
	w.become(succeeds, failsOnce)
	w.goesOn()
	w.jobAdded(makeJob(1, nil, func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("example.com/multi") }))
	m := w.metrics
	m.created(&picture{job: makeJob(1, nil, replaceFailed), failed: 1}, errors.New("no"))
	m.created(&picture{job: makeJob(1, nil), terminating: 1}, nil)
	for _, tc := range []struct {
		name   string
		labels []string // sorted by their names
		want   float64
	}{
		{"jobs_finished_total", []string{"Indexed", "FailedIndexes", "failed"}, 1},
		{"job_pods_finished_total", []string{"Indexed", "succeeded"}, 1},
		{"job_pods_finished_total", []string{"Indexed", "failed"}, 1},
		{"job_finished_indexes_total", []string{"perIndex", "succeeded"}, 1},
		{"job_finished_indexes_total", []string{"perIndex", "failed"}, 1},
		{"job_pods_creation_total", []string{"new", "succeeded"}, 2},
		{"job_pods_creation_total", []string{"recreate_failed", "succeeded"}, 1},
		{"job_pods_creation_total", []string{"recreate_failed", "failed"}, 1},
		{"job_pods_creation_total", []string{"recreate_terminating_or_failed", "succeeded"}, 1},
		{"pod_failures_handled_by_failure_policy_total", []string{"FailIndex"}, 1},
		{"terminated_pods_tracking_finalizer_total", []string{"add"}, 2},
		{"terminated_pods_tracking_finalizer_total", []string{"delete"}, 2},
		{"job_syncs_total", []string{"pods_created", "Indexed", "success"}, 1},
		{"job_sync_duration_seconds", []string{"pods_created", "Indexed", "success"}, 1},
		{"jobs_by_external_controller_total", []string{"example.com/multi"}, 1},
	} {
		if n := w.metric(tc.name, tc.labels...); n != tc.want {
			t.Errorf("%s %v: %v, want %v", tc.name, tc.labels, n, tc.want)
		}
	}
}

// metric is the value of a series, or the count of a histogram's. Labels are
// sorted by their names.
func (w *world) metric(name string, labels ...string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	w.must(err)
	for _, f := range families {
		if f.GetName() != "job_controller_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if slices.Equal(values, labels) {
				return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}
