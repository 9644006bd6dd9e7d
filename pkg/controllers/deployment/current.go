// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// syncCurrent keeps the current ReplicaSet, if there is one, in line with what
// may change in a Deployment without a new template, and the Deployment's
// revision with that of the ReplicaSet.
func (c *deployments) syncCurrent(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if s.current == nil {
		return nil
	}
	if begins(d, s.current) {
		setCondition(&d.Status, c.createdCondition(s.current))
	}
	annotations, ok := currentAnnotations(d, s.current, maxRevision(s.old)+1)
	stale := ok && !maps.Equal(annotations, s.current.Annotations)
	if stale || s.current.Spec.MinReadySeconds != d.Spec.MinReadySeconds {
		rs := s.current.DeepCopy()
		if stale {
			rs.Annotations = annotations
		}
		rs.Spec.MinReadySeconds = d.Spec.MinReadySeconds
		written, err := c.client.AppsV1().ReplicaSets(rs.Namespace).Update(ctx, rs, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		s.replace(written)
		return nil
	}
	setRevision(d, s.current.Annotations[revisionAnnotation])
	if hasDeadline(d) && findCondition(&d.Status, appsv1.DeploymentProgressing) == nil {
		setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonFoundNewReplicaSet,
			fmt.Sprintf("Found new replica set %q", s.current.Name), c.clock.Now()))
	}
	return nil
}

func setRevision(d *appsv1.Deployment, revision string) {
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, revisionAnnotation, revision)
}

// ensureCurrent creates the current ReplicaSet if there is none.
func (c *deployments) ensureCurrent(ctx context.Context, d *appsv1.Deployment, s *sets) error {
	if s.current != nil {
		return nil
	}
	revision := maxRevision(s.old) + 1
	wanted := newReplicaSet(d, s.old, revision)
	created, err := c.client.AppsV1().ReplicaSets(d.Namespace).Create(ctx, wanted, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return c.nameTaken(d, s, wanted, revision, err)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), controller.IsStopping(ctx, err):
		return err
	case err != nil:
		c.reportCreateError(d, wanted.Name, err)
		return err
	}
	if n := size(created); n > 0 {
		c.recorder.Eventf(d, corev1.EventTypeNormal, reasonScalingReplicaSet, "Scaled up replica set %s from 0 to %d", created.Name, n)
	}
	s.current = created
	setRevision(d, strconv.FormatInt(revision, 10))
	if hasDeadline(d) {
		setCondition(&d.Status, c.createdCondition(created))
	}
	return nil
}

func (c *deployments) createdCondition(rs *appsv1.ReplicaSet) appsv1.DeploymentCondition {
	return condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonNewReplicaSetCreated,
		fmt.Sprintf("Created new replica set %q", rs.Name), c.clock.Now())
}

// nameTaken handles a ReplicaSet that has the name of the wanted one. It is the
// wanted one when the cache was behind; else two templates have the same hash,
// and the next sync uses another. As long as the cache does not know it, neither
// is certain, and the sync is tried again.
func (c *deployments) nameTaken(d *appsv1.Deployment, s *sets, wanted *appsv1.ReplicaSet, revision int64, taken error) error {
	rs, found := c.replicaSets.Get(wanted.Namespace, wanted.Name)
	if !found {
		return fmt.Errorf("the cache does not show it yet: %w", taken)
	}
	if metav1.IsControlledBy(rs, d) && sameTemplate(&d.Spec.Template, &rs.Spec.Template) {
		s.current = rs
		setRevision(d, strconv.FormatInt(revision, 10))
		return nil
	}
	d.Status.CollisionCount = ptr.To(ptr.Deref(d.Status.CollisionCount, 0) + 1)
	return taken
}

func (c *deployments) reportCreateError(d *appsv1.Deployment, name string, err error) {
	message := fmt.Sprintf("Failed to create new replica set %q: %v", name, err)
	failure := condition(appsv1.DeploymentProgressing, corev1.ConditionFalse, reasonReplicaSetCreateError, message, c.clock.Now())
	if hasDeadline(d) {
		setCondition(&d.Status, failure)
	}
	c.recorder.Event(d, corev1.EventTypeWarning, reasonReplicaSetCreateError, message)
}
