// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// urgent says whether a quota lacks a number that can be measured, or the limits
// that it is to have.
func urgent(q *corev1.ResourceQuota, measures func(corev1.ResourceName) bool) bool {
	if unapplied(q) {
		return true
	}
	for name := range q.Status.Hard {
		if _, found := q.Status.Used[name]; !found && measures(name) {
			return true
		}
	}
	return false
}

// unapplied says whether the limits of a quota are not in force yet.
func unapplied(q *corev1.ResourceQuota) bool { return !quota.Equal(q.Spec.Hard, q.Status.Hard) }

// next is the status of a quota after some of its resources were measured. Others
// keep what was known of them.
func next(q *corev1.ResourceQuota, measured corev1.ResourceList) corev1.ResourceQuotaStatus {
	s := corev1.ResourceQuotaStatus{Hard: q.Spec.Hard.DeepCopy(), Used: corev1.ResourceList{}}
	for name := range q.Spec.Hard {
		if amount, found := measured[name]; found {
			s.Used[name] = amount
		} else if amount, found := q.Status.Used[name]; found {
			s.Used[name] = amount.DeepCopy()
		}
	}
	return s
}

// same says whether there is nothing to write.
func same(a, b corev1.ResourceQuotaStatus) bool {
	return quota.Equal(a.Hard, b.Hard) && quota.Equal(a.Used, b.Used)
}
