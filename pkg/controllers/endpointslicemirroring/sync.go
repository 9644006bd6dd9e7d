// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
)

func (c *mirroring) sync(ctx context.Context, key cache.ObjectName) error {
	c.begun.Store(true)
	begin := c.clock.Now()
	err := c.mirror(ctx, key)
	c.metrics.took(c.clock.Since(begin))
	return err
}

// mirror brings the slices of an Endpoints object in line with it.
func (c *mirroring) mirror(ctx context.Context, key cache.ObjectName) error {
	existing := c.managed.Usable(c.slices.OfService(key.Namespace, key.Name))
	e, found := c.endpoints.Get(key.Namespace, key.Name)
	service, serviceFound := c.services.Get(key.Namespace, key.Name)
	if !found || !wanted(e) || !serviceFound || service.Spec.Selector != nil {
		c.managed.Tracker.DeleteService(key.Namespace, key.Name)
		c.metrics.forget(key)
		return c.removeAll(ctx, key, existing)
	}
	if c.managed.Tracker.StaleSlices(service, existing) {
		return managedslices.ErrStale
	}
	says := contentOf(e, c.maxPerSubset)
	plan := decide(e, says, existing)
	c.metrics.planned(key, plan, says.skipped)
	c.report(e, says)
	for _, slice := range plan.right {
		if !c.managed.Tracker.Has(slice) {
			c.managed.Tracker.Update(slice)
		}
	}
	return c.write(ctx, e, plan)
}

// report tells what is left out.
func (c *mirroring) report(e *corev1.Endpoints, says *content) {
	if says.invalid > 0 {
		c.recorder.Eventf(e, corev1.EventTypeWarning, "InvalidIPAddress",
			"Skipped %d invalid IP addresses when mirroring to EndpointSlices", says.invalid)
	}
	if says.skipped > says.invalid {
		c.recorder.Eventf(e, corev1.EventTypeWarning, "TooManyAddressesToMirror",
			"A max of %d addresses can be mirrored to EndpointSlices per Endpoints subset. %d addresses were skipped", c.maxPerSubset, says.skipped)
	}
}

// removeAll deletes slices that nothing stands behind any more. The garbage
// collector may have been there first.
func (c *mirroring) removeAll(ctx context.Context, key cache.ObjectName, existing []*discoveryv1.EndpointSlice) error {
	client := c.client.DiscoveryV1().EndpointSlices(key.Namespace)
	var first error
	failed := 0
	for _, slice := range existing {
		if err := client.Delete(ctx, slice.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			failed++
			if first == nil {
				first = err
			}
		}
	}
	if first != nil {
		return fmt.Errorf("error(s) deleting %d/%d EndpointSlices for %s Endpoints, including: %w", failed, len(existing), key, first)
	}
	return nil
}

// write does what was decided. The first failure ends it: the next sync decides
// anew.
func (c *mirroring) write(ctx context.Context, e *corev1.Endpoints, plan *changes) error {
	client := c.client.DiscoveryV1().EndpointSlices(e.Namespace)
	create := plan.create
	if e.DeletionTimestamp != nil {
		// The garbage collector would remove them at once.
		create = nil
	}
	for _, slice := range create {
		created, err := client.Create(ctx, slice, metav1.CreateOptions{})
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("creating an EndpointSlice for Endpoints %s/%s: %w", e.Namespace, e.Name, err)
		}
		c.managed.Tracker.Update(created)
		c.metrics.changed("create")
	}
	for _, slice := range plan.update {
		updated, err := client.Update(ctx, slice, metav1.UpdateOptions{})
		if err != nil {
			return fmt.Errorf("updating EndpointSlice %s for Endpoints %s/%s: %w", slice.Name, e.Namespace, e.Name, err)
		}
		c.managed.Tracker.Update(updated)
		c.metrics.changed("update")
	}
	for _, slice := range plan.remove {
		if err := client.Delete(ctx, slice.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("deleting EndpointSlice %s for Endpoints %s/%s: %w", slice.Name, e.Namespace, e.Name, err)
		}
		c.managed.Tracker.ExpectDeletion(slice)
		c.metrics.changed("delete")
	}
	return nil
}
