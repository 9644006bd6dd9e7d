// SPDX-License-Identifier: Apache-2.0

package job

import (
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// makeJob is a Job with what the API server would have filled in.
func makeJob(parallelism int32, completions *int32, change ...func(*batchv1.Job)) *batchv1.Job {
	l := map[string]string{batchv1.ControllerUidLabel: "pi-uid"}
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "pi", UID: "pi-uid", Generation: 1},
		Spec: batchv1.JobSpec{
			Parallelism: &parallelism, Completions: completions, BackoffLimit: ptr.To[int32](6), Suspend: ptr.To(false),
			CompletionMode: ptr.To(batchv1.NonIndexedCompletion), PodReplacementPolicy: ptr.To(batchv1.TerminatingOrFailed),
			Selector: &metav1.LabelSelector{MatchLabels: l},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: l}, Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "i"}},
			}},
		},
	}
	for _, f := range change {
		f(job)
	}
	return job
}

func indexed(j *batchv1.Job) { j.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion) }

func limit(n int32) func(*batchv1.Job) {
	return func(j *batchv1.Job) { j.Spec.BackoffLimit = &n }
}

func perIndex(n int32) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		indexed(j)
		j.Spec.BackoffLimitPerIndex, j.Spec.BackoffLimit = &n, ptr.To[int32](1<<31-1)
	}
}

func replaceFailed(j *batchv1.Job) { j.Spec.PodReplacementPolicy = ptr.To(batchv1.Failed) }
func onHold(j *batchv1.Job)        { j.Spec.Suspend = ptr.To(true) }

// podOf is a pod of a Job, with an index if that is not negative.
func podOf(job *batchv1.Job, name string, index int, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := (&picture{job: job}).newPod(&job.Spec.Template, max(index, 0))
	pod.Name, pod.UID, pod.Status.Phase = name, types.UID("uid-"+name), corev1.PodPending
	pod.CreationTimestamp = metav1.NewTime(noon)
	if index < 0 {
		delete(pod.Annotations, batchv1.JobCompletionIndexAnnotation)
	}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func in(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { end(p, phase, noon) }
}

func terminating(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.NewTime(noon)) }

func free(p *corev1.Pod) { p.Finalizers = nil }

func failedBefore(n int) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(n) }
}

// podsOf are n pods, with indexes if the Job has them.
func podsOf(job *batchv1.Job, n int, change ...func(*corev1.Pod)) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range n {
		pods = append(pods, podOf(job, fmt.Sprintf("pod-%03d", i), i, change...))
	}
	return pods
}
