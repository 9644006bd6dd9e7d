// SPDX-License-Identifier: Apache-2.0

package bootstrapsigner

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	bootstrap "k8s.io/cluster-bootstrap/token/api"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// key is the only one of the queue.
const key = metav1.NamespacePublic + "/" + bootstrap.ConfigMapClusterInfo

func (c *signer) sync(ctx context.Context, _ string) error {
	info, found := c.info.Get(metav1.NamespacePublic, bootstrap.ConfigMapClusterInfo)
	if !found {
		return nil
	}
	signed, err := sign(info, c.tokens.InNamespace(metav1.NamespaceSystem), c.clock.Now())
	if err != nil {
		c.logger.Error(err, "Not all bootstrap tokens can sign", "configMap", key)
	}
	if signed == nil {
		return nil
	}
	_, err = c.client.CoreV1().ConfigMaps(info.Namespace).Update(ctx, signed, metav1.UpdateOptions{})
	switch {
	case err == nil, apierrors.IsConflict(err), apierrors.IsNotFound(err):
		// Who was quicker causes an event, and with it another sync.
		return nil
	case controller.IsStopping(ctx, err), client.Unreachable(err):
		return err
	}
	// As upstream: what the API server refuses now is tried again at the next
	// event, not by itself.
	c.logger.V(3).Info("Signing failed", "configMap", key, "err", err)
	return nil
}
