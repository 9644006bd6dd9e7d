// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// provisional says that the status is not worth a write: pods were created, whose
// appearance brings the next sync, and that one counts them. A sync that deleted a
// pod must write, because which revision a pod comes back at can depend on it.
func (r *round) provisional() bool {
	return r.created.Load() > 0 && r.deleted.Load() == 0
}

// report writes the status if it says something new. When somebody else has
// changed the set meanwhile, it is written to the live one.
func (c *statefulSets) report(ctx context.Context, r *round) error {
	if !newsworthy(&r.set.Status, &r.status) {
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
