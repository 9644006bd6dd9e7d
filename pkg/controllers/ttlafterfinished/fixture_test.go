// SPDX-License-Identifier: Apache-2.0

package ttlafterfinished_test

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	batchclient "k8s.io/client-go/kubernetes/typed/batch/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/ttlafterfinished"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// lookAgain is the time after which a delaying queue looks at all its keys,
// whatever its timers say. So it misses no step of the clock that is that long.
const lookAgain = 10 * time.Second

// fixture is a running controller whose time stands still but for the test, and
// a namespace for Jobs. Nobody runs the Jobs: the test says how they end.
type fixture struct {
	*harness.Harness

	t     *testing.T
	clock *clocktesting.FakeClock
	jobs  batchclient.JobInterface
	run   *harness.Run

	mu   sync.Mutex
	sent []string          // what the controller asked for, as in "GET job"
	once map[string]func() // called before the first request of that text is sent
}

func start(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	// The API keeps whole seconds.
	f := &fixture{Harness: h, t: t, clock: clocktesting.NewFakeClock(time.Now().Truncate(time.Second)), once: map[string]func(){}}
	h.Kit.Clock = f.clock
	f.jobs = h.Admin.BatchV1().Jobs(h.Namespace())
	f.start()
	return f
}

// start runs the controller itself, with the test listening to what it sends. A
// single worker takes Jobs in the order in which they are queued.
func (f *fixture) start() {
	d := controller.Define(ttlafterfinished.Descriptor(), func(env controller.Env, section *v1beta1.TTLAfterFinishedController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(f.listen)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		return ttlafterfinished.New(env, section)
	})
	f.run = f.Start(d, func(c *v1beta1.Controllers) { c.TTLAfterFinished.Workers = 1 })
}

func (f *fixture) listen(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		text := r.Method + " " + path.Base(r.URL.Path)
		f.mu.Lock()
		f.sent = append(f.sent, text)
		interfere := f.once[text]
		delete(f.once, text)
		f.mu.Unlock()
		if interfere != nil {
			interfere()
		}
		return next.RoundTrip(r)
	})
}

// before has something happen between a decision of the controller and the
// request that follows from it.
func (f *fixture) before(request string, happen func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once[request] = happen
}

func (f *fixture) count(request string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.sent {
		if r == request {
			n++
		}
	}
	return n
}

func (f *fixture) create(name string, ttl *int32, finalizers ...string) *batchv1.Job {
	f.t.Helper()
	job, err := f.jobs.Create(f.t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers},
		Spec: batchv1.JobSpec{TTLSecondsAfterFinished: ttl, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "i"}},
		}}},
	}, metav1.CreateOptions{})
	f.Must(err)
	return job
}

// finish ends a Job some time ago, by the controller's clock, in the way that the
// API server takes for the work of the Job controller.
func (f *fixture) finish(job *batchv1.Job, how batchv1.JobConditionType, ago time.Duration) {
	f.t.Helper()
	at := metav1.NewTime(f.clock.Now().Add(-ago))
	decided := batchv1.JobFailureTarget
	if how == batchv1.JobComplete {
		decided = batchv1.JobSuccessCriteriaMet
		job.Status.CompletionTime = &at
	}
	job.Status.StartTime = &at
	for _, c := range []batchv1.JobConditionType{decided, how} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: at})
	}
	_, err := f.jobs.UpdateStatus(f.t.Context(), job, metav1.UpdateOptions{})
	f.Must(err)
}

// completed makes a Job that is complete since some time.
func (f *fixture) completed(name string, ttl *int32, ago time.Duration) {
	f.t.Helper()
	f.finish(f.create(name, ttl), batchv1.JobComplete, ago)
}

func (f *fixture) get(name string) *batchv1.Job {
	f.t.Helper()
	job, err := f.jobs.Get(f.t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	return job
}

func (f *fixture) patch(name, patch string) {
	f.t.Helper()
	_, err := f.jobs.Patch(f.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	f.Must(err)
}

// deleted waits until a Job is being deleted, or gone.
func (f *fixture) deleted(name string) {
	f.t.Helper()
	f.Eventually(func() error {
		job, err := f.jobs.Get(f.t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && job.DeletionTimestamp != nil {
			return nil
		}
		return fmt.Errorf("%s is there: %v", name, err)
	})
}

// kept checks that Jobs are there, after the controller has handled all that
// happened before: it has then deleted one that finished later.
func (f *fixture) kept(names ...string) {
	f.t.Helper()
	f.mu.Lock()
	last := fmt.Sprint("last-", len(f.sent))
	f.mu.Unlock()
	f.completed(last, new(int32(0)), 0)
	f.deleted(last)
	for _, name := range names {
		if f.get(name).DeletionTimestamp != nil {
			f.t.Errorf("%s is being deleted", name)
		}
	}
}

// delays are how many deletions were measured in all runs, and how late they were
// all together.
func (f *fixture) delays(metric string) (count uint64, sum float64) {
	f.t.Helper()
	families, err := f.Kit.Hub.Gather()
	f.Must(err)
	for _, family := range families {
		if family.GetName() == metric {
			for _, m := range family.GetMetric() {
				count, sum = count+m.GetHistogram().GetSampleCount(), sum+m.GetHistogram().GetSampleSum()
			}
		}
	}
	return count, sum
}
