// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// Jobs collect what happens to their pods within a second, so the tests below run
// beside each other.
func TestLives(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(job.Descriptor(), nil)
	for name, live := range map[string]func(*scene){
		"completes": completes, "fails": fails, "limit of an index": limitOfAnIndex, "succeeds early": succeedsEarly,
		"suspended and resumed": suspendedAndResumed, "nothing to do": nothingToDo, "pod failure policy": podFailurePolicy,
		"scaled": scaled, "deadline": deadline, "managed by another": managedByAnother, "adoption and release": adoptionAndRelease,
		"deleted, pods orphaned": deletedOrphaning, "deleted, pods too": deletedInBackground, "replacement": replacement,
		"pods are refused": podsRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, h)
			s.T = t
			live(s)
		})
	}
}

func completes(s *scene) {
	s.create(pi(2, ptr.To[int32](2)))
	s.shows("2 active")
	pods := s.active()
	s.become(pods[0].Name, corev1.PodRunning)
	s.become(pods[1].Name, corev1.PodSucceeded)
	s.shows("1 active, 1 ready, 1 succeeded")
	s.become(pods[0].Name, corev1.PodSucceeded)
	s.shows("2 succeeded, SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	s.told("Normal Completed Job completed")
	s.letGo()
	if st := s.job().Status; st.CompletionTime == nil || st.StartTime == nil {
		s.T.Errorf("status %+v", st)
	}
}

func fails(s *scene) {
	s.create(pi(2, ptr.To[int32](2), func(j *batchv1.Job) { j.Spec.BackoffLimit = ptr.To[int32](0) }))
	s.shows("2 active")
	s.become(s.active()[0].Name, corev1.PodFailed)
	s.shows("2 failed, FailureTarget(BackoffLimitExceeded), Failed(BackoffLimitExceeded)")
	s.told("Warning BackoffLimitExceeded Job has reached the specified backoff limit")
	s.letGo()
}

func limitOfAnIndex(s *scene) {
	s.create(pi(2, ptr.To[int32](2), indexed, func(j *batchv1.Job) { j.Spec.BackoffLimitPerIndex = ptr.To[int32](0) }))
	s.shows("2 active, broken")
	pods := s.active()
	if got := pods[1]; got.Spec.Hostname != "pi-1" || got.Labels[batchv1.JobCompletionIndexAnnotation] != "1" || got.Annotations[batchv1.JobIndexFailureCountAnnotation] != "0" {
		s.T.Errorf("pod %+v", got.ObjectMeta)
	}
	s.become(pods[0].Name, corev1.PodFailed)
	s.shows("1 active, 1 failed, broken 0")
	s.become(pods[1].Name, corev1.PodSucceeded)
	s.shows("1 succeeded, 1 failed, completed 1, broken 0, FailureTarget(FailedIndexes), Failed(FailedIndexes)")
	s.told("Warning FailedIndexes Job has failed indexes")
}

func succeedsEarly(s *scene) {
	s.create(pi(3, ptr.To[int32](3), indexed, func(j *batchv1.Job) {
		j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: ptr.To("1")}}}
	}))
	s.shows("3 active")
	s.become(s.active()[1].Name, corev1.PodSucceeded)
	s.shows("1 succeeded, completed 1, SuccessCriteriaMet(SuccessPolicy), Complete(SuccessPolicy)")
	s.told("Normal Completed Job completed")
	if got := s.job().Status.Conditions[0].Message; got != "Matched rules at index 0" {
		s.T.Errorf("message %q", got)
	}
	s.letGo()
}

func suspendedAndResumed(s *scene) {
	s.create(pi(2, ptr.To[int32](2), func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }))
	s.shows("Suspended(JobSuspended)")
	s.patchJob(`{"spec":{"suspend":false}}`)
	s.shows("2 active, not Suspended(JobResumed)")
	s.become(s.active()[0].Name, corev1.PodRunning)
	s.shows("2 active, 1 ready, not Suspended(JobResumed)")
	s.patchJob(`{"spec":{"suspend":true}}`)
	s.shows("Suspended(JobSuspended)")
	if n := len(s.Pods()); n != 0 {
		s.T.Errorf("%d pods", n)
	}
	if s.job().Status.StartTime != nil {
		s.T.Error("the start time is still there")
	}
	s.told("Normal Suspended Job suspended", "Normal Resumed Job resumed")
}

func nothingToDo(s *scene) {
	s.create(pi(2, ptr.To[int32](0), func(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }))
	s.shows("SuccessCriteriaMet(CompletionsReached), Complete(CompletionsReached)")
	s.told("Normal Completed Job completed")
}

func podFailurePolicy(s *scene) {
	const hold = "test.kube-live.dev/hold"
	s.create(pi(2, ptr.To[int32](2), func(j *batchv1.Job) {
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
			Action:      batchv1.PodFailurePolicyActionFailJob,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: "In", Values: []int32{3}},
		}}}
		j.Spec.Template.Finalizers = []string{hold}
	}))
	s.shows("2 active")
	pods := s.active()
	s.become(pods[0].Name, corev1.PodFailed)
	s.shows("1 terminating, 2 failed, FailureTarget(PodFailurePolicy)")
	for _, p := range pods {
		s.PatchPod(p.Name, `{"metadata":{"finalizers":null}}`)
	}
	s.shows("2 failed, FailureTarget(PodFailurePolicy), Failed(PodFailurePolicy)")
	s.told(fmt.Sprintf("Warning PodFailurePolicy Container c for pod %s/%s failed with exit code 3 matching FailJob rule at index 0", s.NS, pods[0].Name))
}

func scaled(s *scene) {
	s.create(pi(3, nil))
	s.shows("3 active")
	s.become(s.active()[1].Name, corev1.PodRunning)
	stays := s.active()[1].Name
	s.shows("3 active, 1 ready")
	s.patchJob(`{"spec":{"parallelism":1}}`)
	s.shows("1 active, 1 ready")
	if got := s.active(); len(got) != 1 || got[0].Name != stays {
		s.T.Errorf("%d pods, %s", len(got), got[0].Name)
	}
	s.patchJob(`{"spec":{"parallelism":4}}`)
	s.shows("4 active, 1 ready")
	s.become(stays, corev1.PodSucceeded)
	s.shows("3 active, 1 succeeded")
}

func deadline(s *scene) {
	s.create(pi(1, nil, func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = ptr.To[int64](2) }))
	s.shows("1 active")
	s.shows("1 failed, FailureTarget(DeadlineExceeded), Failed(DeadlineExceeded)")
	s.told("Warning DeadlineExceeded Job was active longer than specified deadline")
}

func managedByAnother(s *scene) {
	other := s.create(pi(1, nil, func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("example.com/multi") }))
	pod := s.stray("a", other)
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(other, batchv1.SchemeGroupVersion.WithKind("Job"))}
	pod.Finalizers = []string{batchv1.JobTrackingFinalizer}
	s.CreatePod(pod)
	s.become("a", corev1.PodSucceeded)
	s.deletePod("a")
	// Another Job, created later, has been synced.
	after := pi(1, nil)
	after.Name = "after"
	s.create(after)
	s.Eventually(func() error {
		if len(s.Pods()) != 2 {
			return errors.New("no pod yet")
		}
		return nil
	})
	if diff := cmp.Diff(batchv1.JobStatus{}, s.job().Status); diff != "" {
		s.T.Errorf("status (-want +got):\n%s", diff)
	}
	if len(s.Pod("a").Finalizers) != 1 {
		s.T.Error("a pod of another controller was let go")
	}
}

// stray is a pod that the Job's selector matches.
func (s *scene) stray(name string, j *batchv1.Job) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: j.Spec.Template.Labels}, Spec: j.Spec.Template.Spec}
}

func adoptionAndRelease(s *scene) {
	j := s.create(pi(2, nil))
	s.shows("2 active")
	leaver := s.active()[0].Name
	s.LabelPod(leaver, batchv1.ControllerUidLabel, "other")
	s.Eventually(func() error {
		if p := s.Pod(leaver); len(p.OwnerReferences)+len(p.Finalizers) > 0 {
			return fmt.Errorf("not released: %+v", p.ObjectMeta)
		}
		if n := len(s.active()); n != 3 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
	s.patchJob(`{"spec":{"parallelism":3}}`)
	s.shows("3 active")
	s.CreatePod(s.stray("stray", j))
	s.become("stray", corev1.PodSucceeded)
	s.shows("3 active, 1 succeeded")
	if p := s.Pod("stray"); !metav1.IsControlledBy(p, j) || len(p.Finalizers) > 0 {
		s.T.Errorf("not adopted and let go: %+v", p.ObjectMeta)
	}
}

func (s *scene) deleteJob(policy metav1.DeletionPropagation) {
	s.T.Helper()
	s.Must(s.Admin.BatchV1().Jobs(s.NS).Delete(s.Ctx, "pi", metav1.DeleteOptions{PropagationPolicy: &policy}))
}

// The test plays the garbage collector.
func deletedOrphaning(s *scene) {
	s.create(pi(2, nil))
	s.shows("2 active")
	s.deleteJob(metav1.DeletePropagationOrphan)
	for _, p := range s.Pods() {
		s.PatchPod(p.Name, `{"metadata":{"ownerReferences":null}}`)
	}
	s.patchJob(`{"metadata":{"finalizers":null}}`)
	s.letGo()
	if n := len(s.Pods()); n != 2 {
		s.T.Errorf("%d pods", n)
	}
}

func deletedInBackground(s *scene) {
	s.create(pi(2, nil))
	s.shows("2 active")
	s.deleteJob(metav1.DeletePropagationBackground)
	for _, p := range s.Pods() {
		s.deletePod(p.Name)
	}
	s.Eventually(func() error {
		if n := len(s.Pods()); n > 0 {
			return fmt.Errorf("%d pods", n)
		}
		return nil
	})
}

func replacement(s *scene) {
	s.create(pi(1, ptr.To[int32](1), func(j *batchv1.Job) {
		j.Spec.PodReplacementPolicy = ptr.To(batchv1.Failed)
		j.Spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](60)
	}))
	s.shows("1 active")
	name := s.active()[0].Name
	s.BindPod(name, "nowhere")
	s.become(name, corev1.PodRunning)
	s.shows("1 active, 1 ready")
	s.deletePod(name)
	s.shows("1 terminating")
	s.become(name, corev1.PodFailed)
	s.shows("1 failed")
}

func podsRefused(s *scene) {
	j := pi(2, nil)
	j.Spec.Template.Spec.PriorityClassName = "there-is-none"
	s.create(j)
	s.Eventually(func() error {
		list := s.Events("reason=FailedCreate")
		if !slices.ContainsFunc(list, func(e corev1.Event) bool { return e.Type == corev1.EventTypeWarning }) {
			return errors.New("no event")
		}
		return nil
	})
	s.shows("")
}
