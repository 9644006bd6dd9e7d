// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ValidatingAdmissionPolicyStatusController checks the types in expressions of
// ValidatingAdmissionPolicies.
type ValidatingAdmissionPolicyStatusController struct {
	Switch `json:",inline"`
	// Workers is how many ValidatingAdmissionPolicies are checked at once, at
	// least 1.
	Workers int32 `json:"workers" default:"5" validate:"gte=1" flag:"concurrent-validating-admission-policy-status-syncs" change:"resize"`
}
