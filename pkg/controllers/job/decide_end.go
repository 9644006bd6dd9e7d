// SPDX-License-Identifier: Apache-2.0

package job

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// decide finds out whether the Job ends, and why. What was decided once stays.
func (p *picture) decide() {
	status := &p.job.Status
	if c := conditionTrue(status, batchv1.JobSuccessCriteriaMet); c != nil {
		p.end = ptr.To(*c)
		return
	}
	if c := conditionTrue(status, batchv1.JobFailureTarget); c != nil {
		p.end = ptr.To(condition(batchv1.JobFailed, corev1.ConditionTrue, c.Reason, c.Message, p.now))
		return
	}
	if reason, message := p.failure(); reason != "" {
		p.end = ptr.To(condition(batchv1.JobFailureTarget, corev1.ConditionTrue, reason, message, p.now))
		return
	}
	if !isIndexed(p.job) {
		return
	}
	if rule, met := succeedsEarly(p.job.Spec.SuccessPolicy, p.completions(), p.completed); met {
		p.succeed(batchv1.JobReasonSuccessPolicy, fmt.Sprintf("Matched rules at index %d", rule))
	}
}

func (p *picture) succeed(reason, message string) {
	p.end = ptr.To(condition(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue, reason, message, p.now))
}

// failure is why the Job fails, or "".
func (p *picture) failure() (reason, message string) {
	for _, pod := range p.pods {
		if !hasFailed(p.job, pod) {
			continue
		}
		if j := judge(p.job.Spec.PodFailurePolicy, pod); j.action == batchv1.PodFailurePolicyActionFailJob {
			return batchv1.JobReasonPodFailurePolicy, j.reason
		}
	}
	switch {
	case p.failed > p.backoffLimit(), p.restartsTooOften():
		return batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit"
	case p.pastDeadline():
		return batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline"
	case limitsIndexes(p.job):
		return p.failureOfIndexes()
	}
	return "", ""
}

// defaultBackoffLimit is what the API server would have filled in.
const defaultBackoffLimit = 6

func (p *picture) backoffLimit() int32 {
	return ptr.Deref(p.job.Spec.BackoffLimit, defaultBackoffLimit)
}

// restartsTooOften is about containers that fail in pods which go on.
func (p *picture) restartsTooOften() bool {
	if p.job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyOnFailure {
		return false
	}
	return restarts(p.pods) >= max(p.backoffLimit(), 1)
}

// lastEvidence says whether the reason for the end goes away with the pods that are
// about to be deleted: it must be written down before.
func (p *picture) lastEvidence() bool {
	return p.end.Type == batchv1.JobFailureTarget && p.end.Reason == batchv1.JobReasonBackoffLimitExceeded && p.restartsTooOften()
}

// untilDeadline is how long the Job may still be active, and whether there is a
// limit to that at all now.
func (p *picture) untilDeadline() (time.Duration, bool) {
	limit, start := p.job.Spec.ActiveDeadlineSeconds, p.job.Status.StartTime
	if limit == nil || start == nil || suspended(p.job) {
		return 0, false
	}
	return time.Duration(*limit)*time.Second - p.now.Sub(start.Time), true
}

func (p *picture) pastDeadline() bool {
	left, limited := p.untilDeadline()
	return limited && left <= 0
}

func (p *picture) failureOfIndexes() (reason, message string) {
	failed := p.failedIndexes.total()
	switch limit := p.job.Spec.MaxFailedIndexes; {
	case limit != nil && failed > int(*limit):
		return batchv1.JobReasonMaxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes"
	case failed > 0 && failed+p.completed.total() >= p.completions():
		return batchv1.JobReasonFailedIndexes, "Job has failed indexes"
	}
	return "", ""
}

// isDone says whether enough pods have succeeded and none is left.
func (p *picture) isDone() bool {
	if p.running > 0 {
		return false
	}
	if p.job.Spec.Completions == nil {
		return p.succeeded > 0
	}
	return p.succeeded >= *p.job.Spec.Completions
}

// switchOff notes whether the Job is suspended, once its pods have been managed
// accordingly. The events say so when that has changed.
func (p *picture) switchOff(restartable bool) []note {
	status := &p.job.Status
	if suspended(p.job) {
		if restartable {
			status.StartTime = nil
		}
		if setCondition(status, condition(batchv1.JobSuspended, corev1.ConditionTrue, "JobSuspended", "Job suspended", p.now)) {
			return []note{{corev1.EventTypeNormal, "Suspended", "Job suspended"}}
		}
		return nil
	}
	if setCondition(status, condition(batchv1.JobSuspended, corev1.ConditionFalse, "JobResumed", "Job resumed", p.now)) {
		// The deadline counts from here.
		status.StartTime = p.nowTime()
		return []note{{corev1.EventTypeNormal, "Resumed", "Job resumed"}}
	}
	return nil
}
