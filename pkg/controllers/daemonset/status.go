// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// report writes the status if it says something new, and has the DaemonSet come
// back when the next ready pod becomes available.
func (c *daemonSets) report(ctx context.Context, v view, observed bool) error {
	ds := v.Set
	if next := v.status(observed); !equality.Semantic.DeepEqual(ds.Status, next) {
		if err := c.putStatus(ctx, ds, next); err != nil {
			return err
		}
	}
	if ds.Spec.MinReadySeconds > 0 && v.ripening() {
		c.queue.AddAfter(name(ds), podstate.NextAvailability(v.pods(), ds.Spec.MinReadySeconds, v.Now, c.clock.Now()))
	}
	return nil
}

// putStatus writes a status. When that fails, mostly because somebody has changed
// the DaemonSet meanwhile, it is tried once more on the live one.
func (c *daemonSets) putStatus(ctx context.Context, ds *appsv1.DaemonSet, status appsv1.DaemonSetStatus) error {
	client := c.client.AppsV1().DaemonSets(ds.Namespace)
	put := func(ds *appsv1.DaemonSet) error {
		updated, err := client.UpdateStatus(ctx, ds, metav1.UpdateOptions{})
		if err == nil {
			c.written.Wrote(ds, setResource(), updated)
		}
		return err
	}
	next := ds.DeepCopy()
	next.Status = status
	err := put(next)
	if err == nil {
		return nil
	}
	live, getErr := client.Get(ctx, ds.Name, metav1.GetOptions{})
	if getErr != nil || live.UID != ds.UID {
		return err
	}
	live.Status = status
	return put(live)
}
