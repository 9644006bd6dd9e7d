// SPDX-License-Identifier: Apache-2.0

// Package storageversiongarbagecollector removes what API servers that are gone
// have said from StorageVersions. Each API server writes there in which version it
// stores a resource; it is gone when its Lease is.
package storageversiongarbagecollector

import (
	"slices"

	internalv1alpha1 "k8s.io/api/apiserverinternal/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Leases of API servers are in kube-system and have this label.
const (
	identityLabel = "apiserver.kubernetes.io/identity"
	identityValue = "kube-apiserver"
)

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "storageversion-garbage-collector-controller",
		Alias:          "storage-version-gc",
		ServiceAccount: "storage-version-garbage-collector",
		Required:       []feature.Gate{feature.APIServerIdentity, feature.StorageVersionAPI},
	}, New)
}

type collector struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.PassiveClock
	servers  *controller.Queue[string] // whose Leases were deleted
	queue    *controller.Queue[string] // of names of StorageVersions
	leases   *informer.Cache[*metav1.PartialObjectMetadata]
	versions *informer.Cache[*internalv1alpha1.StorageVersion]
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.StorageVersionGarbageCollectorController) (controller.Controller, error) {
	c := &collector{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock}
	c.servers = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "storage_version_garbage_collector_leases", Sync: c.syncServer,
	})
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "storage_version_garbage_collector_storageversions", Sync: c.sync,
	})
	leases := informer.LeasesLabelled(metav1.NamespaceSystem, identityLabel+"="+identityValue)
	c.leases = controller.Watch(c.Loop, leases, controller.Handler[*metav1.PartialObjectMetadata]{
		Delete: func(lease *metav1.PartialObjectMetadata) { c.servers.Add(lease.Name) },
	})
	c.versions = controller.Watch(c.Loop, informer.StorageVersions(), controller.Handler[*internalv1alpha1.StorageVersion]{
		Add:    c.changed,
		Update: func(_, sv *internalv1alpha1.StorageVersion) { c.changed(sv) },
	})
	return c, nil
}

func (c *collector) changed(sv *internalv1alpha1.StorageVersion) {
	if c.suspect(sv) {
		c.queue.Add(sv.Name)
	}
}

// suspect says whether an API server seems to be gone that has said something.
func (c *collector) suspect(sv *internalv1alpha1.StorageVersion) bool {
	return slices.ContainsFunc(sv.Status.StorageVersions, func(s internalv1alpha1.ServerStorageVersion) bool {
		_, found := c.leases.Get(metav1.NamespaceSystem, s.APIServerID)
		return !found
	})
}
