// SPDX-License-Identifier: Apache-2.0

package job

import (
	"math"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// noIndex is the completion index of a pod without one.
const noIndex = -1

// indexOf is the completion index that the pod was created for.
func indexOf(pod *corev1.Pod) int {
	i, err := strconv.Atoi(pod.Annotations[batchv1.JobCompletionIndexAnnotation])
	if err != nil || i < 0 {
		return noIndex
	}
	return i
}

// counter is a number that an annotation of the pod holds, or 0.
func counter(pod *corev1.Pod, annotation string) int32 {
	n, err := strconv.Atoi(pod.Annotations[annotation])
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return int32(n)
}

// failuresOfIndex are the failures that the pod's index had before it: those that
// count, and those that a policy ignores.
func failuresOfIndex(pod *corev1.Pod) (counted, ignored int32) {
	return counter(pod, batchv1.JobIndexFailureCountAnnotation), counter(pod, batchv1.JobIndexIgnoredFailureCountAnnotation)
}

// replacesOnlyFailed says whether a pod is replaced only when it has ended, and
// not when it begins to terminate.
func replacesOnlyFailed(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.PodReplacementPolicy, batchv1.TerminatingOrFailed) == batchv1.Failed
}

// hasFailed says whether the pod counts as failed, as far as the Job is concerned.
func hasFailed(job *batchv1.Job, pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodFailed {
		return true
	}
	return !replacesOnlyFailed(job) && pod.DeletionTimestamp != nil && pod.Status.Phase != corev1.PodSucceeded
}

// finishTime is when the pod ended, as well as it can be told.
func finishTime(pod *corev1.Pod) time.Time {
	if t := lastContainerEnd(pod); !t.IsZero() {
		return t
	}
	if c := podstate.Condition(pod, corev1.PodReady); c != nil && c.Status == corev1.ConditionFalse && !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	if pod.DeletionTimestamp != nil {
		// The timestamp is when the pod has to be gone.
		grace := time.Duration(ptr.Deref(pod.DeletionGracePeriodSeconds, 0)) * time.Second
		return pod.DeletionTimestamp.Add(-grace)
	}
	return pod.CreationTimestamp.Time
}

// lastContainerEnd is zero unless all containers that run beside each other have
// ended, sidecars included, and say when.
func lastContainerEnd(pod *corev1.Pod) time.Time {
	states := make([]corev1.ContainerState, 0, len(pod.Status.ContainerStatuses))
	for i := range pod.Status.ContainerStatuses {
		states = append(states, pod.Status.ContainerStatuses[i].State)
	}
	for i := range pod.Status.InitContainerStatuses {
		if s := &pod.Status.InitContainerStatuses[i]; isSidecar(pod, s.Name) {
			states = append(states, s.State)
		}
	}
	var last time.Time
	for _, s := range states {
		if s.Terminated == nil || s.Terminated.FinishedAt.IsZero() {
			return time.Time{}
		}
		if t := s.Terminated.FinishedAt.Time; t.After(last) {
			last = t
		}
	}
	return last
}

func isSidecar(pod *corev1.Pod, container string) bool {
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.Name == container {
			return ptr.Deref(c.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways
		}
	}
	return false
}

// restarts of all containers of the pods that run, or are about to.
func restarts(pods []*corev1.Pod) (sum int32) {
	for _, pod := range pods {
		if pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodPending {
			continue
		}
		for i := range pod.Status.InitContainerStatuses {
			sum += pod.Status.InitContainerStatuses[i].RestartCount
		}
		for i := range pod.Status.ContainerStatuses {
			sum += pod.Status.ContainerStatuses[i].RestartCount
		}
	}
	return sum
}
