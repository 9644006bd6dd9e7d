// SPDX-License-Identifier: Apache-2.0

package storageversiongarbagecollector

import (
	"context"
	"fmt"

	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// syncServer takes back what an API server has said whose Lease was deleted.
func (c *collector) syncServer(ctx context.Context, server string) error {
	_, err := c.client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, server, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err // nil: it is back
	}
	all, err := c.client.InternalV1alpha1().StorageVersions().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var failed []error
	for i := range all.Items {
		err := c.takeBack(ctx, &all.Items[i], func(other string) bool { return other == server })
		if controller.IsStopping(ctx, err) {
			return err
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	return utilerrors.NewAggregate(failed)
}

// sync takes back what API servers have said, in one StorageVersion, that are
// gone. The caches only say where to look.
func (c *collector) sync(ctx context.Context, name string) error {
	if sv, found := c.versions.Get("", name); !found || !c.suspect(sv) {
		return nil
	}
	sv, err := c.client.InternalV1alpha1().StorageVersions().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, s := range sv.Status.StorageVersions {
		if gone[s.APIServerID], err = c.gone(ctx, s.APIServerID); err != nil {
			return err
		}
	}
	return c.takeBack(ctx, sv, func(server string) bool { return gone[server] })
}

// gone says whether there is no API server of that identity. Not to know it is an
// error: what a living one has said must stay.
func (c *collector) gone(ctx context.Context, server string) (bool, error) {
	lease, err := c.client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, server, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("lease of API server %q: %w", server, err)
	}
	return lease.Labels[identityLabel] != identityValue, nil
}

// takeBack removes what these API servers have said. Of a StorageVersion in which
// no other has said anything nothing is left. Both hold for the version that was
// read only: API servers write here too.
func (c *collector) takeBack(ctx context.Context, sv *internalv1alpha1.StorageVersion, gone func(server string) bool) error {
	left, changed := without(sv, gone, c.clock.Now())
	if !changed {
		return nil
	}
	var err error
	versions := c.client.InternalV1alpha1().StorageVersions()
	if len(left.Status.StorageVersions) == 0 {
		as := metav1.Preconditions{UID: &sv.UID, ResourceVersion: &sv.ResourceVersion}
		err = versions.Delete(ctx, sv.Name, metav1.DeleteOptions{Preconditions: &as})
	} else {
		_, err = versions.UpdateStatus(ctx, left, metav1.UpdateOptions{})
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
