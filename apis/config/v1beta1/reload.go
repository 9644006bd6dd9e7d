// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Reload is how changes of the file are noticed and judged, and how parts are
// started and stopped.
type Reload struct {
	// PollPeriod is how often the file's content is compared even when the
	// file system reported nothing, as on NFS.
	PollPeriod metav1.Duration `json:"pollPeriod" default:"10s" validate:"gte=100ms"`
	// Probation is how long after a change a controller that the change
	// started must stay up; one that fails sooner rolls the change back.
	Probation metav1.Duration `json:"probation" default:"30s" validate:"gte=0s"`
	// StopTimeout is how long a controller may take to stop before it counts
	// as stuck.
	StopTimeout metav1.Duration `json:"stopTimeout" default:"10s" validate:"gt=0s" flag:"controller-shutdown-timeout"`
	// StartInterval spreads the starts of controllers: each waits for a random
	// time between one and two times this.
	StartInterval metav1.Duration `json:"startInterval" default:"0s" validate:"gte=0s" flag:"controller-start-interval" change:"live"`
}
