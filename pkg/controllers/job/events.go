// SPDX-License-Identifier: Apache-2.0

package job

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// note is an event that is yet to be sent.
type note struct{ kind, reason, message string }

func (c *jobs) tell(job podcontrol.Owner, notes ...note) {
	for _, n := range notes {
		c.recorder.Event(job, n.kind, n.reason, n.message)
	}
}

// epitaph is what is said of a Job that has ended.
func epitaph(job *batchv1.Job, last *batchv1.JobCondition) []note {
	if last.Type == batchv1.JobFailed {
		return []note{{corev1.EventTypeWarning, last.Reason, last.Message}}
	}
	completed := note{corev1.EventTypeNormal, "Completed", "Job completed"}
	if n := job.Spec.Completions; n != nil && job.Status.Succeeded > *n {
		return []note{
			{corev1.EventTypeWarning, "TooManySucceededPods", "Too many succeeded pods running after completion count reached"},
			completed,
		}
	}
	return []note{completed}
}
