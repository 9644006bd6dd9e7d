// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

func (c *publisher) sync(ctx context.Context, _ string) error {
	start := c.clock.Now()
	err := c.publish(ctx)
	if !controller.IsStopping(ctx, err) {
		c.syncs.Observe(c.clock.Since(start), err)
	}
	return err
}

// publish has the CA in place before it deletes what stood there instead: at no
// time is there nothing.
func (c *publisher) publish(ctx context.Context) error {
	ca := c.ca.PEM()
	name := nameOf(signer, ca)
	cached, found, err := c.bundles.Store().GetByKey(name)
	switch {
	case err != nil:
		return err
	case !found:
		err = c.bundles.create(ctx, name, string(ca))
	case c.bundles.text(cached) != string(ca):
		err = c.bundles.update(ctx, cached, string(ca))
	}
	if err != nil {
		return err
	}
	for _, other := range others(c.bundles.Store().ListKeys(), name) {
		switch failed := c.bundles.delete(ctx, other); {
		case controller.IsStopping(ctx, failed):
			return failed
		case failed != nil && !apierrors.IsNotFound(failed):
			c.logger.Error(failed, "An outdated bundle could not be deleted", "bundle", other)
			err = failed
		}
	}
	return err
}
