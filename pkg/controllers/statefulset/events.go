// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// Reasons that are no verb's.
const (
	reasonConflictingController = "ConflictingController"
	reasonUnknownStrategy       = "UnknownStrategy"
)

// verb of what is done to a pod or claim, as events spell it.
type verb string

const (
	create verb = "Create"
	update verb = "Update"
	remove verb = "Delete"
)

// podEvent tells of something done to a pod, and how it ended. A run that stops
// tells nothing: the next one does the thing.
func (c *statefulSets) podEvent(ctx context.Context, set *appsv1.StatefulSet, v verb, pod string, err error) {
	switch {
	case err == nil:
		c.recorder.Eventf(set, corev1.EventTypeNormal, "Successful"+string(v), "%s Pod %s in StatefulSet %s successful", v, pod, set.Name)
	case !controller.IsStopping(ctx, err):
		c.recorder.Eventf(set, corev1.EventTypeWarning, "Failed"+string(v), "%s Pod %s in StatefulSet %s failed error: %s", v, pod, set.Name, err)
	}
}

// claimEvent tells of the creation of a claim.
func (c *statefulSets) claimEvent(ctx context.Context, set *appsv1.StatefulSet, pod, claim string, err error) {
	switch {
	case err == nil:
		c.recorder.Eventf(set, corev1.EventTypeNormal, "SuccessfulCreate", "Create Claim %s Pod %s in StatefulSet %s success", claim, pod, set.Name)
	case !controller.IsStopping(ctx, err):
		c.recorder.Eventf(set, corev1.EventTypeWarning, "FailedCreate", "Create Claim %s for Pod %s in StatefulSet %s failed error: %s", claim, pod, set.Name, err)
	}
}
