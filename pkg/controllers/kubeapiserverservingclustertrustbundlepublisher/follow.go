// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

const (
	// lookAgain is how often the API server is asked whether it has got
	// ClusterTrustBundles meanwhile.
	lookAgain = 30 * time.Second
	// cachePoll is how often the cache is looked at while it fills.
	cachePoll = 20 * time.Millisecond
)

// store are the bundles of the signer, in the version that was chosen.
type store struct {
	version
	*controller.Attachment
}

// follow waits for an API server that has ClusterTrustBundles, and lets the worker
// begin. The version stays for the rest of the run.
func (c *publisher) follow(ctx context.Context) {
	for told := ""; ; {
		api, err := c.newest(ctx)
		if err == nil && api != nil {
			if err = c.open(ctx, api); err == nil {
				return
			}
		}
		if ctx.Err() != nil || controller.IsStopping(ctx, err) {
			return
		}
		if err == nil {
			err = fmt.Errorf("no version of ClusterTrustBundles is served")
		}
		if told != err.Error() {
			told = err.Error()
			c.logger.Info("Nothing is published for now, will look again", "reason", told, "after", lookAgain)
		}
		if !c.Pause(ctx, lookAgain) {
			return
		}
	}
}

// open reads what there is and then lets the worker begin.
func (c *publisher) open(ctx context.Context, api version) error {
	attached, err := controller.Attach(c.Loop, api.kind(), c.changed())
	if err != nil {
		return err
	}
	for !attached.HasSynced() {
		if !c.Pause(ctx, cachePoll) {
			return ctx.Err()
		}
	}
	c.logger.V(2).Info("Publishing the CA of the API server", "version", api.kind().Resource().Version)
	c.bundles = store{api, attached}
	c.again() // there may be none that was told of
	c.gate.Set(1)
	return nil
}

// newest is the newest version that is served, or nil.
func (c *publisher) newest(ctx context.Context) (version, error) {
	for _, api := range versions(c.client) {
		r := api.kind().Resource()
		list, err := c.discovery.ServerResourcesForGroupVersionWithContext(ctx, r.GroupVersion().String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("discovery of %s: %w", r.GroupVersion(), err)
		}
		if slices.ContainsFunc(list.APIResources, func(a metav1.APIResource) bool { return a.Name == r.Resource }) {
			return api, nil
		}
	}
	return nil, nil
}
