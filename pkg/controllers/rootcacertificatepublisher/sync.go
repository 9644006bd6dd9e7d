// SPDX-License-Identifier: Apache-2.0

package rootcacertificatepublisher

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

func (c *publisher) sync(ctx context.Context, namespace string) error {
	start := c.clock.Now()
	err := c.publish(ctx, namespace)
	if !controller.IsStopping(ctx, err) {
		c.syncs.Observe(c.clock.Since(start), err)
	}
	return err
}

func (c *publisher) publish(ctx context.Context, namespace string) error {
	// A bundle that comes later queues the namespace anew.
	ca := string(c.bundle.PEM())
	configMaps := c.client.CoreV1().ConfigMaps(namespace)
	if cm, found := c.configMaps.Get(namespace, configMapName); found {
		if cm = repaired(cm, ca); cm == nil {
			return nil
		}
		_, err := configMaps.Update(ctx, cm, metav1.UpdateOptions{})
		return err
	}
	if ns, found := c.namespaces.Get("", namespace); closed(ns, found) {
		return nil
	}
	_, err := configMaps.Create(ctx, created(namespace, ca), metav1.CreateOptions{})
	if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // the cache had not heard of the namespace's end
	}
	return err
}
