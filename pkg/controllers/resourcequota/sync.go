// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// writePause is how long a quota that was written waits until the cache shows it.
// Nothing has gone wrong, so it is no matter for the rate limit of retries.
const writePause = 100 * time.Millisecond

// secondLook is when a quota is counted again after it was written. An object that
// was being created then may have been charged but not in the cache yet, or the other
// way round when the limits were new, and nothing else would tell of that.
const secondLook = 2 * time.Second

// spacing is how far apart a quota is counted for what goes: the pods of a workload
// go one after the other, and each of them would be a write.
const spacing = time.Second

// sync measures what a quota limits and writes it down.
func (c *quotas) sync(ctx context.Context, k key) error {
	if c.written.Check(k) != nil {
		return controller.RequeueAfter(writePause)
	}
	q, found := c.quotas.Get(k.Namespace, k.Name)
	if !found {
		c.spacer.Forget(k)
		c.charges.forget(k)
		if c.quotas.CountIn(k.Namespace) == 0 {
			c.memory.Forget(k.Namespace)
		}
		return nil
	}
	p := c.inventory.Load().plan(q)
	if len(p.missing) > 0 {
		// Whoever fills the caches comes back to this quota.
		c.logger.V(4).Info("Not all objects are known that a quota limits", "quota", k, "names", p.missing, "waiting", p.filling)
		if p.filling && unapplied(q) {
			// Once the limits are in the status, nothing is admitted for which there is
			// no number, so they should not come first.
			return nil
		}
	}
	status := next(q, quota.Calculate(p.evaluators, k.Namespace, p.names, quota.ScopesOf(&q.Spec)))
	if !lowers(q.Status.Used, status.Used) {
		c.charges.believe(k)
	} else if rest := c.charges.wait(k, q.ResourceVersion); rest > 0 {
		return controller.RequeueAfter(rest)
	}
	if same(q.Status, status) {
		return nil
	}
	changed := q.DeepCopy()
	changed.Status = status
	now, err := c.client.CoreV1().ResourceQuotas(k.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c.written.Wrote(now, quotaResource, now)
	c.spacer.Did(k)
	c.primary.AddAfter(k, secondLook)
	return nil
}
