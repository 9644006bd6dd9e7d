// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"time"

	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	coordinationv1 "k8s.io/api/coordination/v1"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	internalinformers "k8s.io/client-go/informers/apiserverinternal/v1alpha1"
	storagemigrationinformers "k8s.io/client-go/informers/storagemigration/v1"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// byMigrated is the index of migrations by what they migrate.
const byMigrated = "migrated"

// StorageVersions of the cluster.
func StorageVersions() Kind[*internalv1alpha1.StorageVersion] {
	return Kind[*internalv1alpha1.StorageVersion]{
		resource: internalv1alpha1.SchemeGroupVersion.WithResource("storageversions"),
		open:     cluster(internalinformers.NewStorageVersionInformer),
	}
}

// StorageVersionMigrations are indexed by the resource they migrate.
func StorageVersionMigrations() Kind[*storagemigrationv1.StorageVersionMigration] {
	return Kind[*storagemigrationv1.StorageVersionMigration]{
		resource: storagemigrationv1.SchemeGroupVersion.WithResource("storageversionmigrations"),
		open:     cluster(storagemigrationinformers.NewStorageVersionMigrationInformer),
		indexes: cache.Indexers{byMigrated: func(obj any) ([]string, error) {
			if m, ok := obj.(*storagemigrationv1.StorageVersionMigration); ok {
				return []string{migratedKey(m.Spec.Resource)}, nil
			}
			return nil, nil
		}},
	}
}

func migratedKey(r metav1.GroupResource) string { return r.Resource + "." + r.Group }

// Migrating are the migrations of a resource.
func (c Cache[T]) Migrating(r metav1.GroupResource) []T { return c.lookup(byMigrated, migratedKey(r)) }

// LeasesLabelled are the metadata of the Leases in a namespace that a selector
// matches. All others stay out of the cache: every node renews one every few
// seconds.
func LeasesLabelled(namespace, selector string) Kind[*metav1.PartialObjectMetadata] {
	resource := coordinationv1.SchemeGroupVersion.WithResource("leases")
	return Kind[*metav1.PartialObjectMetadata]{
		resource: resource,
		variant:  "/metadata/" + namespace + "/" + selector,
		open: func(c Clients, resync time.Duration, ix cache.Indexers) cache.SharedIndexInformer {
			return metadatainformer.NewFilteredMetadataInformer(c.Metadata, resource, namespace, resync, ix, func(o *metav1.ListOptions) {
				o.LabelSelector = selector
			}).Informer()
		},
	}
}
