// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// A controller that is stopped and started again in the middle of a Job creates
// no pod twice and counts none twice.
func TestRestarts(t *testing.T) {
	const pods = 30
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	created := s.Creations()
	run := h.Start(job.Descriptor(), nil)
	again := func() {
		run.Stop()
		run = h.Start(job.Descriptor(), nil)
	}
	s.create(pi(pods, ptr.To[int32](pods)))
	for _, until := range []int{2, 9, 20} {
		created.Reach(until)
		again()
	}
	s.shows("30 active")
	for i, p := range s.active() {
		s.become(p.Name, corev1.PodSucceeded)
		if i%8 == 7 {
			again()
		}
	}
	s.shows("30 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	s.told("Normal Completed Job completed")
	s.letGo()
	if n := len(s.Pods()); n != pods {
		t.Errorf("%d pods", n)
	}
	if e := s.Events("reason=FailedCreate"); len(e) > 0 {
		t.Errorf("event %q", e[0].Message)
	}
}

// A pod that was let go while nobody watched, with its Job gone, is found at the
// start.
func TestJobDeletedMeanwhile(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	run := h.Start(job.Descriptor(), nil)
	s.create(pi(2, nil))
	s.shows("2 active")
	run.Stop()
	pods := s.Pods()
	s.deleteJob(metav1.DeletePropagationBackground)
	s.deletePod(pods[0].Name)
	s.PatchPod(pods[1].Name, `{"metadata":{"ownerReferences":null}}`)
	h.Start(job.Descriptor(), nil)
	s.letGo()
	if n := len(s.Pods()); n != 1 {
		t.Errorf("%d pods", n)
	}
}

func TestSuspendedOverARestart(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	s := newScene(t, h)
	run := h.Start(job.Descriptor(), nil)
	s.create(pi(2, nil, func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }))
	s.shows("Suspended(JobSuspended)")
	run.Stop()
	s.patchJob(`{"spec":{"suspend":false}}`)
	h.Start(job.Descriptor(), nil)
	s.shows("2 active, not Suspended(JobResumed)")
}
