// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// superseded are the pods of other revisions than the new one: those to delete,
// and whether there are any, leaving ones included. No pod of the new revision
// may appear while there are.
func (v *view) superseded() (doomed []*member, any bool) {
	for _, m := range slices.Concat(v.slots, v.condemned) {
		if !m.created() || m.revision == v.update {
			continue
		}
		any = true
		if !m.terminating() {
			doomed = append(doomed, m)
		}
	}
	return doomed, any
}

// Conditions that tell how far a recreation has come.
func deletingOld() appsv1.StatefulSetCondition {
	return progressing(corev1.ConditionTrue, "RecreateInProgress", "Deleting old revision pods")
}

func waitingForNew() appsv1.StatefulSetCondition {
	return progressing(corev1.ConditionTrue, "RecreateInProgress", "Waiting for new-revision pods to be created")
}

func recreated() appsv1.StatefulSetCondition {
	return progressing(corev1.ConditionFalse, "RecreateCompleted", "All pods recreated successfully")
}

func progressing(status corev1.ConditionStatus, reason, message string) appsv1.StatefulSetCondition {
	return appsv1.StatefulSetCondition{Type: appsv1.StatefulSetProgressing, Status: status, Reason: reason, Message: message}
}

// withCondition are the conditions with one set, in the place it had. One that
// says the same already stays as it is, and its time moves only with its status.
func withCondition(conditions []appsv1.StatefulSetCondition, c appsv1.StatefulSetCondition, now time.Time) []appsv1.StatefulSetCondition {
	c.LastTransitionTime = metav1.NewTime(now)
	conditions = slices.Clone(conditions)
	i := slices.IndexFunc(conditions, func(o appsv1.StatefulSetCondition) bool { return o.Type == c.Type })
	if i < 0 {
		return append(conditions, c)
	}
	if conditions[i].Status == c.Status {
		c.LastTransitionTime = conditions[i].LastTransitionTime
	}
	conditions[i] = c
	return conditions
}
