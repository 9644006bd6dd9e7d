// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LegacyServiceAccountTokenCleanerController invalidates and then deletes token
// Secrets that nobody uses.
type LegacyServiceAccountTokenCleanerController struct {
	Switch `json:",inline"`
	// CleanUpPeriod is how long a token must not have been used before it is
	// invalidated, and then how long before it is deleted. More than 0.
	CleanUpPeriod metav1.Duration `json:"cleanUpPeriod" default:"8760h" validate:"gt=0s" flag:"legacy-service-account-token-clean-up-period"`
}
