// SPDX-License-Identifier: Apache-2.0

package v1beta1

// NodeIPAMController gives each Node its part of the pod network. What the
// cluster's network is stands in the section "cluster".
type NodeIPAMController struct {
	Switch `json:",inline"`
	// ServiceCIDRs are the networks of Services, at most one of each IP family;
	// pods get no addresses in them.
	ServiceCIDRs []string `json:"serviceCIDRs" default:"" validate:"max=2,dive,cidr" flag:"service-cluster-ip-range,string"`
	// NodeCIDRMaskSize is the prefix length of a Node's network in a cluster of
	// one IP family, up to 128. 0: 24 for IPv4, 64 for IPv6.
	NodeCIDRMaskSize int32 `json:"nodeCIDRMaskSize" default:"0" validate:"gte=0,lte=128" flag:"node-cidr-mask-size"`
	// NodeCIDRMaskSizeIPv4 is the prefix length of a Node's IPv4 network, up to
	// 32. 0: 24.
	NodeCIDRMaskSizeIPv4 int32 `json:"nodeCIDRMaskSizeIPv4" default:"0" validate:"gte=0,lte=32" flag:"node-cidr-mask-size-ipv4"`
	// NodeCIDRMaskSizeIPv6 is the prefix length of a Node's IPv6 network, up to
	// 128. 0: 64.
	NodeCIDRMaskSizeIPv6 int32 `json:"nodeCIDRMaskSizeIPv6" default:"0" validate:"gte=0,lte=128" flag:"node-cidr-mask-size-ipv6"`
}
