// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// scene is a namespace with one Job, "pi". The test plays what is not there:
// scheduler, kubelet, garbage collector.
type scene struct{ *harness.Scene }

func newScene(t *testing.T, h *harness.Harness) *scene { return &scene{h.Scene(t)} }

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
	s.T.Helper()
	created, err := s.Admin.BatchV1().Jobs(s.NS).Create(s.Ctx, job, metav1.CreateOptions{})
	s.Must(err)
	return created
}

func (s *scene) job() *batchv1.Job {
	s.T.Helper()
	job, err := s.Admin.BatchV1().Jobs(s.NS).Get(s.Ctx, "pi", metav1.GetOptions{})
	s.Must(err)
	return job
}

func (s *scene) patchJob(patch string) {
	s.T.Helper()
	_, err := s.Admin.BatchV1().Jobs(s.NS).Patch(s.Ctx, "pi", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.Must(err)
}

func (s *scene) deletePod(name string) {
	s.T.Helper()
	err := s.Admin.CoreV1().Pods(s.NS).Delete(s.Ctx, name, metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		s.Must(err)
	}
}

// become gives a pod the status of one that came to that phase.
func (s *scene) become(name string, phase corev1.PodPhase) {
	s.T.Helper()
	c := corev1.ContainerStatus{Name: "c", Image: "c", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}}
	status := corev1.PodStatus{Phase: phase}
	switch phase {
	case corev1.PodRunning:
		status = harness.ReadySince(time.Now())
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	case corev1.PodFailed:
		c.State.Terminated.ExitCode = 3
	}
	status.ContainerStatuses = []corev1.ContainerStatus{c}
	s.SetPodStatus(name, status)
}

// active pods, in the order of their indexes if they have such.
func (s *scene) active() []corev1.Pod {
	s.T.Helper()
	pods := slices.DeleteFunc(s.Pods(), func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return strings.Compare(a.Annotations[batchv1.JobCompletionIndexAnnotation]+a.Name, b.Annotations[batchv1.JobCompletionIndexAnnotation]+b.Name)
	})
	return pods
}

// shows waits for a status: "1 active, 1 ready, Complete".
func (s *scene) shows(want string) {
	s.T.Helper()
	s.Eventually(func() error {
		if diff := cmp.Diff(want, job.Summary(s.job())); diff != "" {
			return fmt.Errorf("status (-want +got):\n%s", diff)
		}
		return nil
	})
}

// told waits for these events of the Job, besides those of pods.
func (s *scene) told(want ...string) {
	s.T.Helper()
	s.Eventually(func() error {
		var got []string
		for _, e := range s.Events("involvedObject.kind=Job") {
			if e.Source.Component != "job-controller" {
				s.T.Errorf("event from %q", e.Source.Component)
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
	s.T.Helper()
	s.Eventually(func() error {
		for _, p := range s.Pods() {
			if slices.Contains(p.Finalizers, batchv1.JobTrackingFinalizer) {
				return fmt.Errorf("pod %s is held", p.Name)
			}
		}
		return nil
	})
}
