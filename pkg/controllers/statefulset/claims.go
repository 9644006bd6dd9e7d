// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// errReplaced is about a pod that another one of its name has replaced since the
// cache has seen it.
var errReplaced = errors.New("the pod was replaced")

// claimsOf are the claims of a member that exist, as cached.
func (c *statefulSets) claimsOf(set *appsv1.StatefulSet, m *member) []*corev1.PersistentVolumeClaim {
	templates := set.Spec.VolumeClaimTemplates
	if len(templates) == 0 {
		return nil
	}
	claims := make([]*corev1.PersistentVolumeClaim, 0, len(templates))
	for i := range templates {
		if claim, found := c.claims.Get(set.Namespace, claimName(templates[i].Name, m)); found {
			claims = append(claims, claim)
		}
	}
	return claims
}

// claimState of a member. Claims that do not exist are in nobody's way.
func (c *statefulSets) claimState(set *appsv1.StatefulSet, m *member) claimState {
	state := claimState{settled: true}
	for _, claim := range c.claimsOf(set, m) {
		if staleClaim(set, m, claim) {
			state.stale = true
		}
		if _, changed := ownersOf(set, m, claim.OwnerReferences); changed {
			state.settled = false
		}
	}
	return state
}

// ensureClaims creates the claims that a member lacks. A claim that is being
// deleted cannot be used, nor created.
func (c *statefulSets) ensureClaims(ctx context.Context, set *appsv1.StatefulSet, m *member) error {
	var errs []error
	for i := range set.Spec.VolumeClaimTemplates {
		template := &set.Spec.VolumeClaimTemplates[i]
		name := claimName(template.Name, m)
		claim, found := c.claims.Get(set.Namespace, name)
		switch {
		case found && claim.DeletionTimestamp != nil:
			errs = append(errs, fmt.Errorf("pvc %s is being deleted", name))
		case !found:
			errs = append(errs, c.createClaim(ctx, set, template, m))
		}
	}
	return utilerrors.NewAggregate(errs)
}

// createClaim creates a claim. One that exists already is as good.
func (c *statefulSets) createClaim(ctx context.Context, set *appsv1.StatefulSet, template *corev1.PersistentVolumeClaim, m *member) error {
	claim := newClaim(set, template, m)
	created, err := c.client.CoreV1().PersistentVolumeClaims(set.Namespace).Create(ctx, claim, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	c.claimEvent(ctx, set, m.name, claim.Name, err)
	if err != nil {
		return fmt.Errorf("failed to create PVC %s: %w", claim.Name, err)
	}
	c.written.Wrote(set, claimResource, created)
	return nil
}

// settleClaims gives a member's claims the owners that the retention policy asks
// for, and complains about claims that belong to somebody else.
func (c *statefulSets) settleClaims(ctx context.Context, set *appsv1.StatefulSet, m *member) error {
	for _, claim := range c.claimsOf(set, m) {
		if conflicting(set, m, claim.OwnerReferences) {
			c.recorder.Eventf(set, corev1.EventTypeWarning, reasonConflictingController,
				"PersistentVolumeClaim %s has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim", claim.Name)
		}
		refs, changed := ownersOf(set, m, claim.OwnerReferences)
		if !changed {
			continue
		}
		claim = claim.DeepCopy()
		claim.OwnerReferences = refs
		updated, err := c.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Update(ctx, claim, metav1.UpdateOptions{})
		if err != nil {
			return fmt.Errorf("updating the owners of claim %s: %w", claim.Name, err)
		}
		c.written.Wrote(set, claimResource, updated)
	}
	return nil
}
