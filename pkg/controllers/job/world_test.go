// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// world is a controller with one Job and a cluster as simple as can be: the test
// says when time passes, when the caches catch up, and what becomes of pods.
type world struct {
	*jobs

	t        *testing.T
	ctx      context.Context
	fake     *fake.Clientset
	tracker  clienttesting.ObjectTracker
	clock    *testclock.FakeClock
	events   *record.FakeRecorder
	registry metrics.KubeRegistry
	uids     int
	// Creations fail once so many pods were created.
	limit int
	// patience is the clock by which a status that may wait has waited.
	patience *testclock.FakeClock
	// seen is what the caches show.
	seen map[string]*corev1.Pod
	job  *batchv1.Job
}

func newWorld(t *testing.T, job *batchv1.Job, pods ...*corev1.Pod) *world {
	w := &world{
		t: t, ctx: t.Context(), fake: &fake.Clientset{}, clock: testclock.NewFakeClock(noon),
		events: record.NewFakeRecorder(10000), limit: 1 << 30, seen: map[string]*corev1.Pod{}, registry: metrics.NewKubeRegistry(),
	}
	// Not NewClientset: its tracking of fields is what takes time.
	w.tracker = clienttesting.NewObjectTracker(scheme.Scheme, scheme.Codecs.UniversalDecoder())
	w.must(w.tracker.Add(job.DeepCopy()))
	w.fake.AddReactor("*", "*", clienttesting.ObjectReaction(w.tracker))
	w.fake.PrependReactor("create", "pods", w.create)
	w.fake.PrependReactor("delete", "pods", w.delete)
	w.fake.PrependReactor("patch", "pods", w.patch)
	c, err := New(controller.Env{
		API: &client.Session{Typed: w.fake}, Recorder: w.events, Logger: klog.NewKlogr(), Clock: w.clock,
		Metrics: w.registry, Gates: feature.Defaults(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.jobs, w.patience = c.(*jobs), testclock.NewFakeClock(noon)
	w.pacer = pacing.New[key](w.patience)
	for _, pod := range pods {
		w.put(pod)
	}
	w.catchUp()
	return w
}

func (w *world) create(a clienttesting.Action) (bool, runtime.Object, error) {
	if w.uids >= w.limit {
		return true, nil, fmt.Errorf("no more than %d pods", w.limit)
	}
	w.uids++
	pod := a.(clienttesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
	pod.Name = fmt.Sprintf("%s%03d", pod.GenerateName, w.uids)
	pod.UID = types.UID("uid-" + pod.Name)
	pod.CreationTimestamp = metav1.NewTime(w.clock.Now())
	pod.Status.Phase = corev1.PodPending
	return true, pod, w.tracker.Add(pod)
}

// delete leaves a pod that a finalizer holds, or a node.
func (w *world) delete(a clienttesting.Action) (bool, runtime.Object, error) {
	pod := w.pod(a.(clienttesting.DeleteAction).GetName())
	if pod == nil {
		return false, nil, nil
	}
	if pod.DeletionTimestamp == nil {
		pod.DeletionTimestamp = ptr.To(metav1.NewTime(w.clock.Now()))
		w.update(pod)
	}
	return true, nil, nil
}

// patch does the most frequent one itself, which the fake is slow at.
func (w *world) patch(a clienttesting.Action) (bool, runtime.Object, error) {
	p := a.(clienttesting.PatchAction)
	pod := w.pod(p.GetName())
	if pod == nil || string(p.GetPatch()) != string(finalizerPatch) {
		return false, nil, nil
	}
	pod.Finalizers = slices.DeleteFunc(pod.Finalizers, func(f string) bool { return f == batchv1.JobTrackingFinalizer })
	w.update(pod)
	return true, pod, nil
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

var podsResource = corev1.SchemeGroupVersion.WithResource("pods")

func (w *world) put(pod *corev1.Pod) { w.must(w.tracker.Add(pod.DeepCopy())) }
func (w *world) update(pod *corev1.Pod) {
	w.must(w.tracker.Update(podsResource, pod, pod.Namespace))
}

func (w *world) pod(name string) *corev1.Pod {
	obj, err := w.tracker.Get(podsResource, "ns", name)
	if err != nil {
		return nil
	}
	return obj.(*corev1.Pod).DeepCopy()
}

// all pods, by name.
func (w *world) all() []*corev1.Pod {
	list, err := w.tracker.List(podsResource, corev1.SchemeGroupVersion.WithKind("Pod"), "ns")
	w.must(err)
	var pods []*corev1.Pod
	for i := range list.(*corev1.PodList).Items {
		pods = append(pods, &list.(*corev1.PodList).Items[i])
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// live is the Job as the API server has it.
func (w *world) live() *batchv1.Job {
	obj, err := w.tracker.Get(batchv1.SchemeGroupVersion.WithResource("jobs"), "ns", "pi")
	w.must(err)
	return obj.(*batchv1.Job)
}

// catchUp lets nodes and the API server drop what nobody holds, and then the
// caches and the handlers see all that has happened.
func (w *world) catchUp() {
	w.t.Helper()
	now := map[string]*corev1.Pod{}
	for _, pod := range w.all() {
		if pod.DeletionTimestamp != nil && len(pod.Finalizers) == 0 && (pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodFailed) {
			w.must(w.tracker.Delete(podsResource, "ns", pod.Name))
			continue
		}
		now[pod.Name] = pod
	}
	old := w.seen
	job := w.live().DeepCopy()
	*w.jobs.jobs = informer.CacheOf(informer.Jobs(), job)
	*w.pods = informer.CacheOf(informer.Pods(), slices.Collect(maps.Values(now))...)
	if w.job != nil {
		w.jobUpdated(w.job, job)
	}
	w.job, w.seen = job, now
	for name, pod := range now {
		if before := old[name]; before == nil {
			w.podAdded(pod)
		} else if !equality.Semantic.DeepEqual(before, pod) {
			before = before.DeepCopy()
			before.ResourceVersion = "before"
			w.podUpdated(before, pod)
		}
	}
	for name, pod := range old {
		if now[name] == nil {
			w.podDeleted(pod, true)
		}
	}
}

var theJob = key{Namespace: "ns", Name: "pi"}

// syncs syncs the Job as the caches show it. A status has waited long enough.
func (w *world) syncs(want string) {
	w.t.Helper()
	w.pacer.Hold(theJob, pacing.Later)
	w.patience.Step(pacing.Later)
	text := ""
	if err := w.sync(w.ctx, theJob); err != nil {
		text = err.Error()
	}
	if diff := cmp.Diff(want, text); diff != "" {
		w.t.Errorf("error (-want +got):\n%s", diff)
	}
}

// goesOn syncs and catches up until that makes no difference any more.
func (w *world) goesOn() {
	w.t.Helper()
	for range 50 {
		w.fake.ClearActions()
		w.syncs("")
		w.catchUp()
		if !slices.ContainsFunc(w.fake.Actions(), func(a clienttesting.Action) bool { return a.GetVerb() != "get" }) {
			return
		}
	}
	w.t.Fatal("the Job does not come to rest")
}

// shows compares the numbers of the live status.
func (w *world) shows(want string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.summary()); diff != "" {
		w.t.Errorf("status (-want +got):\n%s", diff)
	}
}

func (w *world) summary() string { return Summary(w.live()) }

// told takes the events so far, without those of pods.
func (w *world) told() []string {
	var list []string
	for len(w.events.Events) > 0 {
		if e := <-w.events.Events; !strings.Contains(e, " pod: ") && !strings.Contains(e, "Error creating") {
			list = append(list, e)
		}
	}
	return list
}

// sent counts requests such as "create pods" or "update jobs/status".
func (w *world) sent(what string) (n int) {
	for _, a := range w.fake.Actions() {
		text := a.GetVerb() + " " + a.GetResource().Resource
		if a.GetSubresource() != "" {
			text += "/" + a.GetSubresource()
		}
		if text == what {
			n++
		}
	}
	return n
}

// become has the active pods end, or begin to run, in their order; fewer phases
// than pods leave the rest alone.
func (w *world) become(phases ...corev1.PodPhase) {
	w.t.Helper()
	i := 0
	for _, pod := range w.all() {
		if i == len(phases) {
			break
		}
		if pod.DeletionTimestamp == nil && (pod.Status.Phase == corev1.PodPending || pod.Status.Phase == corev1.PodRunning || pod.Status.Phase == "") {
			end(pod, phases[i], w.clock.Now())
			w.update(pod)
			i++
		}
	}
	if i != len(phases) {
		w.t.Fatalf("only %d of %d active pods", i, len(phases))
	}
	w.catchUp()
}

// end gives a pod the status of one that came to that phase.
func end(pod *corev1.Pod, phase corev1.PodPhase, at time.Time) {
	pod.Status.Phase = phase
	code := int32(0)
	switch phase {
	case corev1.PodRunning:
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at)}}
		return
	case corev1.PodFailed:
		code = 1
	}
	pod.Status.Conditions = nil
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: metav1.NewTime(at)},
	}}}
}

const (
	runs      = corev1.PodRunning
	succeeds  = corev1.PodSucceeded
	failsOnce = corev1.PodFailed
)

func (w *world) expects(adds int) { w.expected.Expect(w.job, adds, 0) }

func (w *world) outstanding() int {
	adds, _ := w.expected.Outstanding(w.job)
	return adds
}
