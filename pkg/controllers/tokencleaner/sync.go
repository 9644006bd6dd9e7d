// SPDX-License-Identifier: Apache-2.0

package tokencleaner

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/cluster-bootstrap/util/secrets"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// sync deletes a token whose time has come, or waits for it. A time that cannot be
// read has come.
func (c *cleaner) sync(ctx context.Context, name cache.ObjectName) error {
	token, found := c.tokens.Get(name.Namespace, name.Name)
	if !found {
		return nil
	}
	remaining, expired := secrets.GetExpiration(token, c.clock.Now())
	switch {
	case expired:
		return c.delete(ctx, name, metav1.NewUIDPreconditions(string(token.UID)))
	case remaining > 0:
		return controller.RequeueAfter(remaining)
	}
	return nil // it never expires
}

func (c *cleaner) delete(ctx context.Context, name cache.ObjectName, preconditions *metav1.Preconditions) error {
	err := c.client.CoreV1().Secrets(name.Namespace).Delete(ctx, name.Name, metav1.DeleteOptions{Preconditions: preconditions})
	switch {
	case err == nil, apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return nil // gone, or another one of that name
	case controller.IsStopping(ctx, err), client.Unreachable(err):
		return err
	}
	// As upstream: what the API server refuses now is tried again at the next
	// event, not by itself.
	c.logger.V(3).Info("Deleting an expired token failed", "secret", name, "err", err)
	return nil
}
