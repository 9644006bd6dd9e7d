// SPDX-License-Identifier: Apache-2.0

package job

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func condition(kind batchv1.JobConditionType, status corev1.ConditionStatus, reason, message string, now time.Time) batchv1.JobCondition {
	t := metav1.NewTime(now)
	return batchv1.JobCondition{Type: kind, Status: status, LastProbeTime: t, LastTransitionTime: t, Reason: reason, Message: message}
}

// conditionTrue is the condition of that type if it is true, or nil.
func conditionTrue(s *batchv1.JobStatus, kind batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range s.Conditions {
		if c := &s.Conditions[i]; c.Type == kind && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// finished Jobs are never touched again.
func finished(s *batchv1.JobStatus) bool {
	return conditionTrue(s, batchv1.JobComplete) != nil || conditionTrue(s, batchv1.JobFailed) != nil
}

// setCondition says whether it has changed something. A condition is not begun by
// being false.
func setCondition(s *batchv1.JobStatus, c batchv1.JobCondition) bool {
	i := slices.IndexFunc(s.Conditions, func(old batchv1.JobCondition) bool { return old.Type == c.Type })
	switch {
	case i < 0 && c.Status == corev1.ConditionFalse:
		return false
	case i < 0:
		s.Conditions = append(s.Conditions, c)
		return true
	}
	old := &s.Conditions[i]
	if old.Status == c.Status && old.Reason == c.Reason && old.Message == c.Message {
		return false
	}
	*old = c
	return true
}

// otherManager is the controller that looks after the Job instead of this one, or
// "".
func otherManager(job *batchv1.Job) string {
	if by := ptr.Deref(job.Spec.ManagedBy, batchv1.JobControllerName); by != batchv1.JobControllerName {
		return by
	}
	return ""
}

func isIndexed(job *batchv1.Job) bool { return mode(job) == batchv1.IndexedCompletion }

func mode(job *batchv1.Job) batchv1.CompletionMode {
	return ptr.Deref(job.Spec.CompletionMode, batchv1.NonIndexedCompletion)
}

func suspended(job *batchv1.Job) bool { return ptr.Deref(job.Spec.Suspend, false) }

// limitsIndexes says whether each index has a limit of failures of its own.
func limitsIndexes(job *batchv1.Job) bool {
	return isIndexed(job) && job.Spec.BackoffLimitPerIndex != nil
}
