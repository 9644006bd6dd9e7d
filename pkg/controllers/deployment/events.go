// SPDX-License-Identifier: Apache-2.0

package deployment

// Reasons of events.
const (
	reasonSelectingAll              = "SelectingAll"
	reasonScalingReplicaSet         = "ScalingReplicaSet"
	reasonRollback                  = "DeploymentRollback"
	reasonRollbackRevisionNotFound  = "DeploymentRollbackRevisionNotFound"
	reasonRollbackTemplateUnchanged = "DeploymentRollbackTemplateUnchanged"
)

// Reasons of conditions; the first one is an event's too.
const (
	reasonReplicaSetCreateError = "ReplicaSetCreateError"

	// Progressing
	reasonPaused                 = "DeploymentPaused"
	reasonResumed                = "DeploymentResumed"
	reasonFoundNewReplicaSet     = "FoundNewReplicaSet"
	reasonNewReplicaSetCreated   = "NewReplicaSetCreated"
	reasonReplicaSetUpdated      = "ReplicaSetUpdated"
	reasonNewReplicaSetAvailable = "NewReplicaSetAvailable"
	reasonDeadlineExceeded       = "ProgressDeadlineExceeded"

	// Available
	reasonAvailable   = "MinimumReplicasAvailable"
	reasonUnavailable = "MinimumReplicasUnavailable"
)
