// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// conflicts is how often, and after which pauses, a reference is tried to be removed
// from an account that others write too.
func conflicts() wait.Backoff {
	return wait.Backoff{Steps: 10, Duration: 100 * time.Millisecond, Jitter: 1}
}

// forget takes a Secret that is gone out of its account's list. As upstream, what
// fails is only logged: a name too many in that list does no harm.
func (c *tokens) forget(ctx context.Context, key secretKey) {
	if sa, found := c.accounts.Get(key.namespace, key.account); !found || !means(key.accountUID, sa.UID) {
		return
	}
	err := c.unlist(ctx, key)
	if err != nil && !controller.IsStopping(ctx, err) {
		c.logger.Error(err, "Removing the reference to a deleted Secret failed",
			"serviceAccount", klog.KRef(key.namespace, key.account), "secret", klog.KRef(key.namespace, key.name))
	}
}

func (c *tokens) unlist(ctx context.Context, key secretKey) error {
	pauses := conflicts()
	for {
		err := c.tryUnlist(ctx, key)
		pause := pauses.Step()
		if !apierrors.IsConflict(err) || pauses.Steps == 0 {
			return err
		}
		select {
		case <-c.clock.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *tokens) tryUnlist(ctx context.Context, key secretKey) error {
	accounts := c.client.CoreV1().ServiceAccounts(key.namespace)
	live, err := accounts.Get(ctx, key.account, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || !means(key.accountUID, live.UID) {
		return err
	}
	changed := without(live, key.name)
	if changed == nil {
		return nil
	}
	_, err = accounts.Update(ctx, changed, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
