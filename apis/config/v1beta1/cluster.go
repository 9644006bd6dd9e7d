// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Cluster is what several controllers have to know about the cluster.
type Cluster struct {
	// Name tells this cluster from others in the same cloud.
	Name string `json:"name" default:"kubernetes" validate:"-" flag:"cluster-name" readers:"node-route-controller service-lb-controller"`
	// CIDRs are the networks of pods: one, or one of each IP family.
	CIDRs []string `json:"cidrs" default:"" validate:"max=2,dive,cidr" flag:"cluster-cidr,string" readers:"node-ipam-controller node-route-controller"`
	// AllocateNodeCIDRs gives each Node a part of CIDRs; without it the
	// node-ipam-controller is off.
	AllocateNodeCIDRs bool `json:"allocateNodeCIDRs" default:"false" validate:"-" flag:"allocate-node-cidrs" readers:"node-ipam-controller"`
	// CIDRAllocatorType is how those parts are chosen. Only RangeAllocator,
	// which may also be written as an empty text, is left.
	CIDRAllocatorType string `json:"cidrAllocatorType" default:"RangeAllocator" validate:"omitempty,oneof=RangeAllocator" flag:"cidr-allocator-type" readers:"node-ipam-controller"`
	// CloudProvider is empty or external. It has no effect: as upstream, no
	// provider is built in.
	CloudProvider string `json:"cloudProvider" default:"" validate:"omitempty,oneof=external" flag:"cloud-provider" inert:"no cloud provider is built in, so all are external"`
	// CloudConfigFile is the configuration of the cloud provider. It has no
	// effect: as upstream, the file is not read.
	CloudConfigFile string `json:"cloudConfigFile" default:"" validate:"-" flag:"cloud-config" path:"true" inert:"no cloud provider is built in that could read it"`
	// ExternalCloudVolumePlugin is the volume plugin of an external cloud
	// provider. It has no effect, as upstream.
	ExternalCloudVolumePlugin string `json:"externalCloudVolumePlugin" default:"" validate:"-" flag:"external-cloud-volume-plugin" inert:"no cloud provider has a volume plugin any more"`
	// AllowUntaggedCloud has no effect, as upstream.
	AllowUntaggedCloud bool `json:"allowUntaggedCloud" default:"false" validate:"-" flag:"allow-untagged-cloud" inert:"no cloud provider is built in" deprecated:"This flag is deprecated and will be removed in a future release. A cluster-id will be required on cloud instances."`
	// NodeSyncPeriod has no effect, as upstream.
	NodeSyncPeriod metav1.Duration `json:"nodeSyncPeriod" default:"0s" validate:"-" flag:"node-sync-period" inert:"nothing reads it" deprecated:"This flag is currently no-op and will be deleted."`
}

// Compatibility makes the program behave like an older one.
type Compatibility struct {
	// EmulatedVersions are the versions whose feature gates apply, as
	// COMPONENT=MAJOR.MINOR; the only component, kube, may be left out. It has no
	// effect: feature gates are those of this version.
	EmulatedVersions []string `json:"emulatedVersions" default:"" validate:"dive,component_version" flag:"emulated-version" inert:"feature gates are those of this version"`
	// MinCompatibilityVersions are the oldest versions with which others must be
	// able to work, in the same form. It has no effect: feature gates are those
	// of this version.
	MinCompatibilityVersions []string `json:"minCompatibilityVersions" default:"" validate:"dive,component_version" flag:"min-compatibility-version" inert:"feature gates are those of this version"`
}
