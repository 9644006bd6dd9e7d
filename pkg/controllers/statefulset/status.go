// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/kube-live/kube-controller-manager/pkg/kube/pacing"
)

// provisional says that the status is not worth a write: pods were created, whose
// appearance brings the next sync, and that one counts them.
func (r *round) provisional() bool {
	return r.created.Load() > 0 && r.deleted.Load() == 0
}

// urgency of the status, compared with the one that is written.
func (r *round) urgency() time.Duration {
	deleted := r.deleted.Load() > 0
	if deleted && r.set.Spec.UpdateStrategy.RollingUpdate == nil {
		return pacing.Now // at which revision the pods come back depends on it
	}
	return urgency(&r.set.Status, &r.status, replicas(r.set), deleted)
}

// report writes the status if it says something new, when that is worth a write.
// When somebody else has changed the set meanwhile, it is written to the live one.
func (c *statefulSets) report(ctx context.Context, r *round) error {
	if !newsworthy(&r.set.Status, &r.status) {
		c.pacer.Forget(nameOf(r.set))
		return nil
	}
	if left := c.pacer.Hold(nameOf(r.set), r.urgency()); left > 0 {
		c.queue.AddAfter(nameOf(r.set), left)
		return nil
	}
	client := c.client.AppsV1().StatefulSets(r.set.Namespace)
	set := r.set
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		next := set.DeepCopy()
		next.Status = r.status
		updated, err := client.UpdateStatus(ctx, next, metav1.UpdateOptions{})
		if err == nil {
			c.written.Wrote(r.set, setResource, updated)
			return nil
		}
		if apierrors.IsConflict(err) {
			if live, getErr := c.live(r.set)(ctx); getErr == nil && live.GetUID() == r.set.UID {
				set = live.(*appsv1.StatefulSet)
			}
		}
		return err
	})
}
