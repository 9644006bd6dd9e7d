// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a namespace with one Job, "pi". The test plays what is not there:
// scheduler, kubelet, garbage collector.
type scene struct {
	*harness.Harness

	t   *testing.T
	ctx context.Context
	ns  string
}

func newScene(t *testing.T, h *harness.Harness) *scene {
	return &scene{Harness: h, t: t, ctx: context.Background(), ns: h.Namespace()}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// pi makes a Job that is not created yet.
func pi(parallelism int32, completions *int32, change ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "pi"},
		Spec: batchv1.JobSpec{
			Parallelism: &parallelism, Completions: completions,
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: ptr.To[int64](0),
				Containers: []corev1.Container{{Name: "c", Image: "registry.example/c"}},
			}},
		},
	}
	for _, f := range change {
		f(job)
	}
	return job
}

func indexed(j *batchv1.Job) { j.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion) }

func (s *scene) create(job *batchv1.Job) *batchv1.Job {
	s.t.Helper()
	created, err := s.Admin.BatchV1().Jobs(s.ns).Create(s.ctx, job, metav1.CreateOptions{})
	s.must(err)
	return created
}

func (s *scene) job() *batchv1.Job {
	s.t.Helper()
	job, err := s.Admin.BatchV1().Jobs(s.ns).Get(s.ctx, "pi", metav1.GetOptions{})
	s.must(err)
	return job
}

func (s *scene) patchJob(patch string) {
	s.t.Helper()
	_, err := s.Admin.BatchV1().Jobs(s.ns).Patch(s.ctx, "pi", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

// pods of the namespace, sorted by name.
func (s *scene) pods() []corev1.Pod {
	s.t.Helper()
	list, err := s.Admin.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
	s.must(err)
	return list.Items
}

func (s *scene) pod(name string) *corev1.Pod {
	s.t.Helper()
	pod, err := s.Admin.CoreV1().Pods(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	return pod
}

func (s *scene) patchPod(name string, patch map[string]any) {
	s.t.Helper()
	data, err := json.Marshal(patch)
	s.must(err)
	_, err = s.Admin.CoreV1().Pods(s.ns).Patch(s.ctx, name, types.MergePatchType, data, metav1.PatchOptions{})
	s.must(err)
}

func (s *scene) deletePod(name string) {
	s.t.Helper()
	err := s.Admin.CoreV1().Pods(s.ns).Delete(s.ctx, name, metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		s.must(err)
	}
}

// become gives a pod the status of one that came to that phase.
func (s *scene) become(name string, phase corev1.PodPhase) {
	s.t.Helper()
	pod := s.pod(name)
	pod.Status = corev1.PodStatus{Phase: phase}
	c := corev1.ContainerStatus{Name: "c", Image: "c", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}}
	switch phase {
	case corev1.PodRunning:
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	case corev1.PodFailed:
		c.State.Terminated.ExitCode = 3
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{c}
	_, err := s.Admin.CoreV1().Pods(s.ns).UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
	s.must(err)
}

// active pods, in the order of their indexes if they have such.
func (s *scene) active() []corev1.Pod {
	s.t.Helper()
	pods := slices.DeleteFunc(s.pods(), func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return strings.Compare(a.Annotations[batchv1.JobCompletionIndexAnnotation]+a.Name, b.Annotations[batchv1.JobCompletionIndexAnnotation]+b.Name)
	})
	return pods
}

// shows waits for a status: "1 active, 1 ready, Complete".
func (s *scene) shows(want string) {
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
		if diff := cmp.Diff(want, summary(s.job())); diff != "" {
			return fmt.Errorf("status (-want +got):\n%s", diff)
		}
		return nil
	})
}

func summary(job *batchv1.Job) string {
	st := job.Status
	var parts []string
	number := func(n int32, what string) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	number(st.Active, "active")
	number(ptr.Deref(st.Ready, 0), "ready")
	number(ptr.Deref(st.Terminating, 0), "terminating")
	number(st.Succeeded, "succeeded")
	number(st.Failed, "failed")
	if u := st.UncountedTerminatedPods; u != nil {
		number(int32(len(u.Succeeded)+len(u.Failed)), "uncounted")
	}
	if st.CompletedIndexes != "" {
		parts = append(parts, "completed "+st.CompletedIndexes)
	}
	if st.FailedIndexes != nil {
		parts = append(parts, strings.TrimSpace("broken "+*st.FailedIndexes))
	}
	for _, c := range st.Conditions {
		not := ""
		if c.Status != corev1.ConditionTrue {
			not = "not "
		}
		parts = append(parts, fmt.Sprintf("%s%s(%s)", not, c.Type, c.Reason))
	}
	return strings.Join(parts, ", ")
}

// told waits for these events of the Job, besides those of pods.
func (s *scene) told(want ...string) {
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
		list, err := s.Admin.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Job"})
		s.must(err)
		var got []string
		for _, e := range list.Items {
			if e.Source.Component != "job-controller" {
				s.t.Errorf("event from %q", e.Source.Component)
			}
			if !strings.Contains(e.Message, " pod: ") {
				got = append(got, fmt.Sprintf("%s %s %s", e.Type, e.Reason, e.Message))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("events (-want +got):\n%s", diff)
		}
		return nil
	})
}

// letGo waits until no pod has the finalizer any more.
func (s *scene) letGo() {
	s.t.Helper()
	testkit.Eventually(s.t, harness.Timeout, func() error {
		for _, p := range s.pods() {
			if slices.Contains(p.Finalizers, batchv1.JobTrackingFinalizer) {
				return fmt.Errorf("pod %s is held", p.Name)
			}
		}
		return nil
	})
}
