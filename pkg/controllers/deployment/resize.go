// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"context"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// resize gives ReplicaSets their sizes, and marks for which numbers of the
// Deployment they have them. It stops at the first error. What the server
// answered takes the place of the old state among the sets.
func (c *deployments) resize(ctx context.Context, d *appsv1.Deployment, s *sets, steps []resize) error {
	for _, step := range steps {
		annotations := withMarks(step.rs.Annotations, d)
		from := size(step.rs)
		if step.to == from && maps.Equal(annotations, step.rs.Annotations) {
			continue
		}
		rs := step.rs.DeepCopy()
		rs.Spec.Replicas, rs.Annotations = &step.to, annotations
		written, err := c.client.AppsV1().ReplicaSets(rs.Namespace).Update(ctx, rs, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		s.replace(written)
		direction := "down"
		if step.to > from {
			direction = "up"
		}
		if step.to != from {
			c.recorder.Eventf(d, corev1.EventTypeNormal, reasonScalingReplicaSet, "Scaled %s replica set %s from %d to %d", direction, rs.Name, from, step.to)
		}
	}
	return nil
}
