// SPDX-License-Identifier: Apache-2.0

package informer

import (
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	resourceinformers "k8s.io/client-go/informers/resource/v1"
	"k8s.io/client-go/tools/cache"
)

const byExtendedResource = "extendedResource"

// ResourceQuotas of all namespaces.
func ResourceQuotas() Kind[*corev1.ResourceQuota] {
	return Kind[*corev1.ResourceQuota]{resource: core("resourcequotas"), open: namespaced(coreinformers.NewResourceQuotaInformer)}
}

// ResourceClaims are indexed by controller.
func ResourceClaims() Kind[*resourcev1.ResourceClaim] {
	return Kind[*resourcev1.ResourceClaim]{
		resource: resourcev1.SchemeGroupVersion.WithResource("resourceclaims"),
		open:     namespaced(resourceinformers.NewResourceClaimInformer),
		indexes:  cache.Indexers{byController: controllerIndex},
	}
}

// DeviceClasses of the cluster are indexed by the extended resource that their
// devices are requested as.
func DeviceClasses() Kind[*resourcev1.DeviceClass] {
	return Kind[*resourcev1.DeviceClass]{
		resource: resourcev1.SchemeGroupVersion.WithResource("deviceclasses"),
		open:     cluster(resourceinformers.NewDeviceClassInformer),
		indexes: cache.Indexers{byExtendedResource: func(obj any) ([]string, error) {
			c, ok := obj.(*resourcev1.DeviceClass)
			if !ok || c.Spec.ExtendedResourceName == nil {
				return nil, nil
			}
			return []string{*c.Spec.ExtendedResourceName}, nil
		}},
	}
}

// OfExtendedResource are the DeviceClasses whose devices are requested as this
// extended resource. There is one, but for the time of a migration.
func (c Cache[T]) OfExtendedResource(name string) []T { return c.lookup(byExtendedResource, name) }
