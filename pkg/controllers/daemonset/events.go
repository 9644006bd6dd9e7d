// SPDX-License-Identifier: Apache-2.0

package daemonset

// Reasons of events, besides those of pods that are created and deleted.
const (
	reasonSelectingAll = "SelectingAll"
	reasonFailedPod    = "FailedDaemonPod"
	reasonSucceededPod = "SucceededDaemonPod"
)
