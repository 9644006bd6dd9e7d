// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/storage/volume"
)

const (
	countVolumeClaims = corev1.ResourceName("count/persistentvolumeclaims")
	// The names of a storage class begin with that of the class.
	classSuffix        = ".storageclass.storage.k8s.io/"
	classClaimsSuffix  = classSuffix + string(corev1.ResourcePersistentVolumeClaims)
	classStorageSuffix = classSuffix + string(corev1.ResourceRequestsStorage)
)

// VolumeClaims evaluates PersistentVolumeClaims.
type VolumeClaims struct {
	// In lists the claims of a namespace.
	In func(namespace string) []*corev1.PersistentVolumeClaim
}

// Matches is part of Evaluator.
func (VolumeClaims) Matches(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourcePersistentVolumeClaims, corev1.ResourceRequestsStorage, countVolumeClaims:
		return true
	}
	return strings.HasSuffix(string(name), classClaimsSuffix) || strings.HasSuffix(string(name), classStorageSuffix)
}

// Measure is part of Evaluator.
func (e VolumeClaims) Measure(namespace string, scopes []Scope, sum Sum) {
	measure(e.In(namespace), scopes, volumeClaimInScope, func(c *corev1.PersistentVolumeClaim) { addVolumeClaim(c, sum) })
}

func addVolumeClaim(c *corev1.PersistentVolumeClaim, sum Sum) {
	class := volume.GetPersistentVolumeClaimClass(c)
	sum.Add(corev1.ResourcePersistentVolumeClaims, one())
	sum.Add(countVolumeClaims, one())
	if class != "" {
		sum.Add(corev1.ResourceName(class+classClaimsSuffix), one())
	}
	storage, asked := storageOf(c)
	if !asked {
		return
	}
	sum.Add(corev1.ResourceRequestsStorage, storage)
	if class != "" {
		sum.Add(corev1.ResourceName(class+classStorageSuffix), storage)
	}
}

// storageOf is how many bytes a claim takes: what it asks for, or what it was
// given already when it asked for more before.
func storageOf(c *corev1.PersistentVolumeClaim) (resource.Quantity, bool) {
	q, asked := c.Spec.Resources.Requests[corev1.ResourceStorage]
	if !asked {
		return q, false
	}
	q = whole(q)
	if given, found := c.Status.AllocatedResources[corev1.ResourceStorage]; found {
		if given = whole(given); given.Cmp(q) > 0 {
			return given, true
		}
	}
	return q, true
}

// whole is the next whole number.
func whole(q resource.Quantity) resource.Quantity {
	q = q.DeepCopy()
	q.RoundUp(0)
	return q
}

func volumeClaimInScope(c *corev1.PersistentVolumeClaim, s Scope) (bool, error) {
	if s.ScopeName != corev1.ResourceQuotaScopeVolumeAttributesClass {
		return false, nil
	}
	return s.finds(attributesClasses(c)...)
}

// attributesClasses are the VolumeAttributesClasses that a claim has, had, or shall
// have.
func attributesClasses(c *corev1.PersistentVolumeClaim) (names []string) {
	for _, name := range []*string{c.Spec.VolumeAttributesClassName, c.Status.CurrentVolumeAttributesClassName} {
		if name != nil && *name != "" {
			names = append(names, *name)
		}
	}
	if m := c.Status.ModifyVolumeStatus; m != nil && m.TargetVolumeAttributesClassName != "" {
		names = append(names, m.TargetVolumeAttributesClassName)
	}
	return names
}
