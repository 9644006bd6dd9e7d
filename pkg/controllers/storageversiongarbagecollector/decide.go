// SPDX-License-Identifier: Apache-2.0

package storageversiongarbagecollector

import (
	"slices"
	"time"

	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// without is a copy of a StorageVersion as if these API servers had never said
// anything; false when they have not.
func without(sv *internalv1alpha1.StorageVersion, gone func(server string) bool, now time.Time) (*internalv1alpha1.StorageVersion, bool) {
	sv = sv.DeepCopy()
	before := len(sv.Status.StorageVersions)
	sv.Status.StorageVersions = slices.DeleteFunc(sv.Status.StorageVersions, func(s internalv1alpha1.ServerStorageVersion) bool {
		return gone(s.APIServerID)
	})
	if len(sv.Status.StorageVersions) == before {
		return sv, false
	}
	old := sv.Status.CommonEncodingVersion
	sv.Status.CommonEncodingVersion = common(sv.Status.StorageVersions)
	tell(sv, old, now)
	return sv, true
}

// common is the version in which all API servers store, or nil.
func common(servers []internalv1alpha1.ServerStorageVersion) *string {
	if len(servers) == 0 {
		return nil
	}
	version := servers[0].EncodingVersion
	for _, s := range servers {
		if s.EncodingVersion != version {
			return nil
		}
	}
	return &version
}

// tell says in a condition whether there is a common version. From one common
// version to another is a transition too, although the status stays True.
func tell(sv *internalv1alpha1.StorageVersion, old *string, now time.Time) {
	c := internalv1alpha1.StorageVersionCondition{
		Type:               internalv1alpha1.AllEncodingVersionsEqual,
		Status:             internalv1alpha1.ConditionFalse,
		ObservedGeneration: sv.Generation,
		LastTransitionTime: metav1.NewTime(now),
		Reason:             "CommonEncodingVersionUnset",
		Message:            "Common encoding version unset",
	}
	version := sv.Status.CommonEncodingVersion
	if version != nil {
		c.Status, c.Reason, c.Message = internalv1alpha1.ConditionTrue, "CommonEncodingVersionSet", "Common encoding version set"
	}
	i := slices.IndexFunc(sv.Status.Conditions, func(other internalv1alpha1.StorageVersionCondition) bool { return other.Type == c.Type })
	if i < 0 {
		sv.Status.Conditions = append(sv.Status.Conditions, c)
		return
	}
	replaced := old != nil && version != nil && *old != *version
	if was := sv.Status.Conditions[i]; was.Status == c.Status && !replaced {
		c.LastTransitionTime = was.LastTransitionTime
	}
	sv.Status.Conditions[i] = c
}
