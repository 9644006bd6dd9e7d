// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/conversion"

	"github.com/kube-live/kube-controller-manager/pkg/kube/subsets"
)

// labelManagedBy names the writer of an Endpoints object.
const labelManagedBy = "endpoints.kubernetes.io/managed-by"

// desiredFor is the object that should be stored: the current one, which stays as
// it is, with what this controller decides on. Changed is when the change
// happened that the write is for; zero when nobody knows.
func desiredFor(service *corev1.Service, all []corev1.EndpointSubset, current *corev1.Endpoints, changed time.Time) *corev1.Endpoints {
	desired := current.DeepCopy()
	kept, truncated := withinCapacity(all)
	desired.Subsets = kept
	desired.Labels = labelsFor(service)
	if desired.Annotations == nil {
		desired.Annotations = map[string]string{}
	}
	set := func(key, value string, present bool) {
		if present {
			desired.Annotations[key] = value
		} else {
			delete(desired.Annotations, key)
		}
	}
	set(corev1.EndpointsLastChangeTriggerTime, stamp(changed), !changed.IsZero())
	set(corev1.EndpointsOverCapacity, "truncated", truncated)
	return desired
}

func labelsFor(service *corev1.Service) map[string]string {
	labels := maps.Clone(service.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	delete(labels, corev1.IsHeadlessService)
	if !hasClusterIP(service) {
		labels[corev1.IsHeadlessService] = ""
	}
	labels[labelManagedBy] = managedBy
	return labels
}

// isCurrent says whether what is stored needs no write. When the last change was
// is only written along with something else.
func isCurrent(stored, desired *corev1.Endpoints) bool {
	if !maps.Equal(stored.Labels, desired.Labels) {
		return false
	}
	before, found := stored.Annotations[corev1.EndpointsOverCapacity]
	after, wanted := desired.Annotations[corev1.EndpointsOverCapacity]
	if found != wanted || before != after {
		return false
	}
	// Others may have written the same in another order.
	same := equality()
	return same.DeepEqual(stored.Subsets, desired.Subsets) ||
		same.DeepEqual(subsets.Canonical(stored.Subsets), desired.Subsets)
}

// equality takes no notice of the version of an address's target: only its UID
// counts.
func equality() conversion.Equalities {
	return conversion.EqualitiesOrDie(func(a, b corev1.ObjectReference) bool {
		a.ResourceVersion, b.ResourceVersion = "", ""
		return a == b
	})
}
