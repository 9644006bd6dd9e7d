// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rollback gives the Deployment the template it had at a revision; 0 is the last
// one. The request is served once, with success or not.
func (c *deployments) rollback(ctx context.Context, d *appsv1.Deployment, s *sets, revision int64) error {
	if err := c.ensureCurrent(ctx, d, s); err != nil {
		return err
	}
	if revision == 0 {
		if revision = lastRevision(s.all()); revision == 0 {
			c.recorder.Event(d, corev1.EventTypeWarning, reasonRollbackRevisionNotFound, "Unable to find last revision.")
			return c.clearRollback(ctx, d)
		}
	}
	rs := ofRevision(s.all(), revision)
	switch {
	case rs == nil:
		c.recorder.Event(d, corev1.EventTypeWarning, reasonRollbackRevisionNotFound, "Unable to find the revision to rollback to.")
		return c.clearRollback(ctx, d)
	case sameTemplate(&d.Spec.Template, &rs.Spec.Template):
		c.recorder.Eventf(d, corev1.EventTypeWarning, reasonRollbackTemplateUnchanged, "The rollback revision contains the same template as current deployment %q", d.Name)
		return c.clearRollback(ctx, d)
	}
	restore(d, rs)
	if err := c.clearRollback(ctx, d); err != nil {
		return err
	}
	c.recorder.Eventf(d, corev1.EventTypeNormal, reasonRollback, "Rolled back deployment %q to revision %d", d.Name, revision)
	return nil
}

// clearRollback writes the Deployment without the request for a rollback. What
// its status has to tell follows from the event of this write.
func (c *deployments) clearRollback(ctx context.Context, d *appsv1.Deployment) error {
	delete(d.Annotations, rollbackAnnotation)
	written, err := c.client.AppsV1().Deployments(d.Namespace).Update(ctx, d, metav1.UpdateOptions{})
	if err == nil {
		d.ResourceVersion = written.ResourceVersion
	}
	return err
}
