// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
	testclock "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

var (
	cronJobsResource = batchv1.SchemeGroupVersion.WithResource("cronjobs")
	jobsResource     = batchv1.SchemeGroupVersion.WithResource("jobs")
)

// world is a controller with one CronJob and a cluster as simple as can be: the
// test says when time passes, when the caches catch up, and what becomes of Jobs.
type world struct {
	*cronJobs

	t        *testing.T
	fake     *fake.Clientset
	tracker  clienttesting.ObjectTracker
	clock    *testclock.FakeClock
	events   *record.FakeRecorder
	registry metrics.KubeRegistry
	// broken requests fail, by their text.
	broken map[string]error
}

// newWorld has the given objects, which the caches show.
func newWorld(t *testing.T, now time.Time, cj *batchv1.CronJob, jobs ...*batchv1.Job) *world {
	w := &world{
		t: t, fake: &fake.Clientset{}, clock: testclock.NewFakeClock(now), events: record.NewFakeRecorder(100),
		registry: metrics.NewKubeRegistry(), broken: map[string]error{},
		tracker: clienttesting.NewObjectTracker(scheme.Scheme, scheme.Codecs.UniversalDecoder()),
	}
	w.must(w.tracker.Add(cj.DeepCopy()))
	for _, j := range jobs {
		w.must(w.tracker.Add(j.DeepCopy()))
	}
	w.fake.AddReactor("*", "*", clienttesting.ObjectReaction(w.tracker))
	w.fake.PrependReactor("create", "jobs", w.complete)
	w.fake.PrependReactor("*", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		err := w.broken[text(a)]
		return err != nil, nil, err
	})
	c, err := New(controller.Env{
		API: &client.Session{Typed: w.fake}, Recorder: w.events, Logger: klog.NewKlogr(), Clock: w.clock,
		Metrics: w.registry, Gates: feature.Defaults(),
	}, nil)
	w.must(err)
	w.cronJobs = c.(*cronJobs)
	w.catchUp()
	return w
}

// text is a request as in "get jobs" or "update cronjobs/status".
func text(a clienttesting.Action) string {
	s := a.GetVerb() + " " + a.GetResource().Resource
	if sub := a.GetSubresource(); sub != "" {
		s += "/" + sub
	}
	return s
}

// complete gives a new Job what the API server adds.
func (w *world) complete(a clienttesting.Action) (bool, runtime.Object, error) {
	j := a.(clienttesting.CreateAction).GetObject().(*batchv1.Job)
	j.UID = types.UID("uid-" + j.Name)
	j.CreationTimestamp = metav1.NewTime(w.clock.Now())
	return false, nil, nil
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// live is the CronJob as the API server has it.
func (w *world) live() *batchv1.CronJob {
	obj, err := w.tracker.Get(cronJobsResource, "ns", "report")
	w.must(err)
	return obj.(*batchv1.CronJob).DeepCopy()
}

func (w *world) all() []*batchv1.Job {
	list, err := w.tracker.List(jobsResource, batchv1.SchemeGroupVersion.WithKind("Job"), "ns")
	w.must(err)
	var jobs []*batchv1.Job
	for i := range list.(*batchv1.JobList).Items {
		jobs = append(jobs, &list.(*batchv1.JobList).Items[i])
	}
	return jobs
}

// become changes a Job.
func (w *world) become(name string, f func(*batchv1.Job)) {
	w.t.Helper()
	obj, err := w.tracker.Get(jobsResource, "ns", name)
	w.must(err)
	j := obj.(*batchv1.Job).DeepCopy()
	f(j)
	w.must(w.tracker.Update(jobsResource, j, "ns"))
}

// catchUp has the caches see all that has happened.
func (w *world) catchUp() {
	w.cronJobsCatchUp()
	w.jobsCatchUp()
}

func (w *world) cronJobsCatchUp() {
	*w.cronJobs.cronJobs = informer.CacheOf(informer.CronJobs(), w.live())
}

func (w *world) jobsCatchUp() { *w.jobs = informer.CacheOf(informer.Jobs(), w.all()...) }

// none is how a sync ends that asks for no other.
const none = time.Duration(0)

// syncs syncs the CronJob as the caches show it, and checks the delay after which
// to come back, without the padding, and the requests.
func (w *world) syncs(wait time.Duration, requests ...string) {
	w.t.Helper()
	w.fails("", wait, requests...)
}

// fails is syncs with an error.
func (w *world) fails(want string, wait time.Duration, requests ...string) {
	w.t.Helper()
	w.fake.ClearActions()
	got, err := w.reconcile(w.t.Context(), key{Namespace: "ns", Name: "report"})
	message := ""
	if err != nil {
		message = err.Error()
	}
	if message != want {
		w.t.Errorf("error %q, want %q", message, want)
	}
	if got == nil != (wait == none) || got != nil && *got != wait+padding {
		w.t.Errorf("wait %v, want %v", got, wait+padding)
	}
	var sent []string
	for _, a := range w.fake.Actions() {
		sent = append(sent, text(a))
	}
	if diff := cmp.Diff(requests, sent); diff != "" {
		w.t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// told compares the events since the last time.
func (w *world) told(want ...string) {
	w.t.Helper()
	var got []string
	for {
		select {
		case e := <-w.events.Events:
			got = append(got, e)
			continue
		default:
		}
		break
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("events (-want +got):\n%s", diff)
	}
}

// lists compares the names of the Jobs that the live status lists.
func (w *world) lists(want ...string) {
	w.t.Helper()
	var got []string
	for _, ref := range w.live().Status.Active {
		got = append(got, ref.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("active (-want +got):\n%s", diff)
	}
}

// has compares the names of all Jobs.
func (w *world) has(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, names(w.all())); diff != "" {
		w.t.Errorf("Jobs (-want +got):\n%s", diff)
	}
}

// skews is how many creations were measured.
func (w *world) skews() (n uint64) {
	families, err := w.registry.Gather()
	w.must(err)
	for _, f := range families {
		if f.GetName() == "cronjob_controller_job_creation_skew_duration_seconds" {
			n = f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	return n
}
