// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	admissionapply "k8s.io/client-go/applyconfigurations/admissionregistration/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// manager is the owner of the status in managedFields.
const manager = "validatingadmissionpolicy-status"

func (c *statuses) sync(ctx context.Context, name string) error {
	c.checker.documents.open()
	defer func() { c.checker.documents.close(c.queue.Len() > 0) }()
	policy, found := c.policies.Get("", name)
	if !found || policy.Generation <= policy.Status.ObservedGeneration {
		return nil
	}
	warnings, unread, err := c.checker.check(ctx, policy)
	if err != nil {
		return err
	}
	if unread != nil && c.delays.another(name, policy.Generation) {
		c.logger.V(2).Info("Types of a policy cannot be read, will retry", "policy", name, "err", unread, "after", pause)
		return controller.RequeueAfter(pause)
	}
	if unread != nil {
		c.logger.V(2).Info("A policy is checked without the types that cannot be read", "policy", name, "err", unread)
	}
	_, err = c.client.AdmissionregistrationV1().ValidatingAdmissionPolicies().ApplyStatus(ctx, status(policy, warnings),
		metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	c.delays.forget(name)
	return nil
}

// status is what the controller owns of a policy. Without warnings there is still a
// typeChecking, which says that there was a check.
func status(policy *admissionv1.ValidatingAdmissionPolicy, warnings []admissionv1.ExpressionWarning) *admissionapply.ValidatingAdmissionPolicyApplyConfiguration {
	checked := admissionapply.TypeChecking()
	for _, w := range warnings {
		checked.WithExpressionWarnings(admissionapply.ExpressionWarning().WithFieldRef(w.FieldRef).WithWarning(w.Warning))
	}
	return admissionapply.ValidatingAdmissionPolicy(policy.Name).
		WithStatus(admissionapply.ValidatingAdmissionPolicyStatus().WithObservedGeneration(policy.Generation).WithTypeChecking(checked))
}
