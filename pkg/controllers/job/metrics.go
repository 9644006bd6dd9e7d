// SPDX-License-Identifier: Apache-2.0

package job

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-base/metrics"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

const subsystem = "job_controller"

// Values of the label action: what a sync did.
const (
	reconciling = "reconciling"
	tracking    = "tracking"
	podsCreated = "pods_created"
	podsDeleted = "pods_deleted"
)

// Values of the labels result and status.
const (
	resultSuccess   = "success"
	resultError     = "error"
	resultSucceeded = "succeeded"
	resultFailed    = "failed"
)

// runMetrics are those of one run.
type runMetrics struct {
	duration  *metrics.HistogramVec
	syncs     *metrics.CounterVec
	finished  *metrics.CounterVec
	pods      *metrics.CounterVec
	indexes   *metrics.CounterVec
	creations *metrics.CounterVec
	policy    *metrics.CounterVec
	finalizer *metrics.CounterVec
	external  *metrics.CounterVec
	stale     *metrics.CounterVec
}

func newMetrics(registry metrics.KubeRegistry) *runMetrics {
	m := &runMetrics{
		duration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Subsystem: subsystem, Name: "job_sync_duration_seconds", StabilityLevel: metrics.STABLE,
			Help:    "How long a sync of a Job took.",
			Buckets: metrics.ExponentialBuckets(0.004, 2, 15),
		}, []string{"completion_mode", "result", "action"}),
		syncs:     counterVec("job_syncs_total", metrics.STABLE, "Number of syncs of Jobs.", "completion_mode", "result", "action"),
		finished:  counterVec("jobs_finished_total", metrics.ALPHA, "Number of Jobs that ended.", "completion_mode", "result", "reason"),
		pods:      counterVec("job_pods_finished_total", metrics.STABLE, "Number of pods of Jobs that ended and were counted.", "completion_mode", "result"),
		indexes:   counterVec("job_finished_indexes_total", metrics.ALPHA, "Number of indexes of Jobs that ended.", "status", "backoffLimit"),
		creations: counterVec("job_pods_creation_total", metrics.ALPHA, "Number of pods created for Jobs, by why they were needed.", "reason", "status"),
		policy: counterVec("pod_failures_handled_by_failure_policy_total", metrics.ALPHA,
			"Number of failed pods that a rule of a pod failure policy was about.", "action"),
		finalizer: counterVec("terminated_pods_tracking_finalizer_total", metrics.ALPHA,
			"Number of times that an ended pod came to have, or lost, the finalizer of Jobs.", "event"),
		external: counterVec("jobs_by_external_controller_total", metrics.ALPHA, "Number of Jobs seen that another controller manages.", "controller_name"),
		stale:    counterVec("stale_sync_skips_total", metrics.ALPHA, "Number of syncs put off because a cache did not show the last write yet.", "group", "resource"),
	}
	registry.MustRegister(m.duration, m.syncs, m.finished, m.pods, m.indexes, m.creations, m.policy, m.finalizer, m.external, m.stale)
	return m
}

func counterVec(name string, level metrics.StabilityLevel, help string, labels ...string) *metrics.CounterVec {
	return metrics.NewCounterVec(&metrics.CounterOpts{Subsystem: subsystem, Name: name, Help: help, StabilityLevel: level}, labels)
}

func (m *runMetrics) synced(job *batchv1.Job, action string, err error, took time.Duration) {
	result := resultSuccess
	if err != nil {
		result = resultError
	}
	labels := []string{string(mode(job)), result, action}
	m.duration.WithLabelValues(labels...).Observe(took.Seconds())
	m.syncs.WithLabelValues(labels...).Inc()
}

func (m *runMetrics) skipped(r schema.GroupResource) {
	m.stale.WithLabelValues(r.Group, r.Resource).Inc()
}

// tracked counts how ended pods come to be held by the finalizer and are let go.
// A pod that is new, or gone, is nil before, or after.
func (m *runMetrics) tracked(before, after *corev1.Pod) {
	was, is := isHeldEnded(before), isHeldEnded(after)
	switch {
	case is && !was:
		m.finalizer.WithLabelValues("add").Inc()
	case was && !is:
		m.finalizer.WithLabelValues("delete").Inc()
	}
}

func isHeldEnded(pod *corev1.Pod) bool {
	return pod != nil && podstate.Terminal(pod) && tracked(pod)
}

// counted is told of every step that a status made.
func (m *runMetrics) counted(job *batchv1.Job, before, after *batchv1.JobStatus) {
	succeeded := int(after.Succeeded) - int(before.Succeeded)
	if isIndexed(job) {
		limit := "global"
		if limitsIndexes(job) {
			limit = "perIndex"
		}
		n := int(ptr.Deref(job.Spec.Completions, 0))
		succeeded = knownIntervals(after.CompletedIndexes, n).total() - knownIntervals(before.CompletedIndexes, n).total()
		add(m.indexes.WithLabelValues(resultSucceeded, limit), succeeded)
		failed := knownIntervals(ptr.Deref(after.FailedIndexes, ""), n).total() - knownIntervals(ptr.Deref(before.FailedIndexes, ""), n).total()
		add(m.indexes.WithLabelValues(resultFailed, limit), failed)
	}
	add(m.pods.WithLabelValues(string(mode(job)), resultSucceeded), succeeded)
	add(m.pods.WithLabelValues(string(mode(job)), resultFailed), int(after.Failed)-int(before.Failed))
}

// add drops what a smaller number of completions takes away again: counters do
// not go back.
func add(c metrics.CounterMetric, n int) {
	if n > 0 {
		c.Add(float64(n))
	}
}

func (m *runMetrics) ended(job *batchv1.Job, last *batchv1.JobCondition) {
	result := resultSucceeded
	if last.Type == batchv1.JobFailed {
		result = resultFailed
	}
	m.finished.WithLabelValues(string(mode(job)), result, last.Reason).Inc()
}

// created counts a pod, as upstream does: one that could not be created is in
// both series.
func (m *runMetrics) created(p *picture, err error) {
	reason := "new"
	switch {
	case replacesOnlyFailed(p.job) && p.failed > 0:
		reason = "recreate_failed"
	case p.failed > 0 || p.terminating > 0:
		reason = "recreate_terminating_or_failed"
	}
	if err != nil {
		m.creations.WithLabelValues(reason, resultFailed).Inc()
	}
	m.creations.WithLabelValues(reason, resultSucceeded).Inc()
}
