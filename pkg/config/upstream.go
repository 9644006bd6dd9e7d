// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// largestIPv6Step is how many bits longer the networks of Nodes may be than the
// IPv6 network that they are cut out of.
const largestIPv6Step = 16

// upstream has the rules about several fields with which upstream's program
// refuses to start, beside those of election and signing.
func upstream(c *v1beta1.KubeControllerManagerConfiguration) []finding {
	var found []finding
	add := func(path, other, value, reason, hint string) {
		found = append(found, finding{Problem{Rule: RuleCrossField, Path: path, Value: value, Reason: reason, Hint: hint}, other})
	}
	if len(c.Metrics.AllowLabels) > 0 && c.Metrics.AllowLabelsManifest != "" {
		add("metrics.allowLabelsManifest", "metrics.allowLabels", c.Metrics.AllowLabelsManifest, "cannot be set together with allowLabels", "write all labels into one of them")
	}
	bufferedLogs(c, add)
	uidHeaders(c, add)
	versions(c, add)
	nodeNetworks(c, add)
	return found
}

// report notes a problem of a path together with another one.
type report func(path, other, value, reason, hint string)

// on is what a configuration makes of a gate, as far as it says so.
func on(c *v1beta1.KubeControllerManagerConfiguration, gate, all string, otherwise bool) bool {
	for _, name := range []string{gate, all} {
		if value, set := c.FeatureGates[name]; set {
			return value
		}
	}
	return otherwise
}

// bufferedLogs are settings that are still tried out.
func bufferedLogs(c *v1beta1.KubeControllerManagerConfiguration, add report) {
	l := c.Logging
	if on(c, "LoggingAlphaOptions", "AllAlpha", false) {
		return
	}
	for _, field := range []struct {
		name, value string
		set         bool
	}{
		{"jsonInfoBufferSize", string(l.JSONInfoBufferSize), l.JSONInfoBufferSize != "" && l.JSONInfoBufferSize != "0"},
		{"jsonSplitStream", "true", l.JSONSplitStream},
		{"textInfoBufferSize", string(l.TextInfoBufferSize), l.TextInfoBufferSize != "" && l.TextInfoBufferSize != "0"},
		{"textSplitStream", "true", l.TextSplitStream},
	} {
		if field.set {
			add("logging."+field.name, "featureGates", field.value, "is forbidden while the feature gate LoggingAlphaOptions is off", "remove it")
		}
	}
}

func uidHeaders(c *v1beta1.KubeControllerManagerConfiguration, add report) {
	headers := c.Authentication.RequestHeaderUIDHeaders
	const path = "authentication.requestHeaderUIDHeaders"
	switch {
	case len(headers) == 0:
	case !on(c, "RemoteRequestHeaderUID", "AllBeta", true):
		add(path, "featureGates", strings.Join(headers, ","), "needs the feature gate RemoteRequestHeaderUID, which is off", "remove it, or turn the gate on")
	case !slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, "X-Remote-Uid") }):
		add(path, path, strings.Join(headers, ","), "must contain X-Remote-Uid", "add it")
	}
}

// versions: each component once, and none compatible with less than it emulates.
func versions(c *v1beta1.KubeControllerManagerConfiguration, add report) {
	emulated := feature.EmulationVersion
	for i, text := range c.Compatibility.EmulatedVersions {
		if i > 0 {
			add(fmt.Sprintf("compatibility.emulatedVersions[%d]", i), "compatibility.emulatedVersions", text, "is a second version of the component kube", "keep one of them")
			continue
		}
		if knownVersion(text) {
			emulated = text[strings.Index(text, "=")+1:]
		}
	}
	for i, text := range c.Compatibility.MinCompatibilityVersions {
		path := fmt.Sprintf("compatibility.minCompatibilityVersions[%d]", i)
		switch number := text[strings.Index(text, "=")+1:]; {
		case i > 0:
			add(path, "compatibility.minCompatibilityVersions", text, "is a second version of the component kube", "keep one of them")
		case knownVersion(text) && version.MustParse(emulated).LessThan(version.MustParse(number)):
			add(path, "compatibility.emulatedVersions", text, "must not be later than the emulated version, which is "+emulated, "")
		}
	}
}

// nodeNetworks has the rules of node-ipam-controller. It is only built when Nodes
// are to get networks.
func nodeNetworks(c *v1beta1.KubeControllerManagerConfiguration, add report) {
	const path = "controllers.node-ipam-controller."
	ipam := c.Controllers.NodeIPAM
	services, ok := prefixes(ipam.ServiceCIDRs)
	if ok && len(services) == 2 && services[0].Addr().Is4() == services[1].Addr().Is4() {
		add(path+"serviceCIDRs", path+"serviceCIDRs", strings.Join(ipam.ServiceCIDRs, ","), "must be one IPv4 and one IPv6 network when there are two", "")
	}
	clusters, ok := prefixes(c.Cluster.CIDRs)
	off := ipam.Enabled != nil && !*ipam.Enabled || ipam.Enabled == nil && c.Controllers.Baseline == v1beta1.BaselineNone
	switch {
	case !c.Cluster.AllocateNodeCIDRs || off || !ok:
	case len(clusters) == 0:
		add("cluster.allocateNodeCIDRs", "cluster.cidrs", "true", "needs the networks out of which Nodes get theirs", "set cluster.cidrs")
	case len(clusters) == 2 && clusters[0].Addr().Is4() == clusters[1].Addr().Is4():
		add("cluster.cidrs", "cluster.cidrs", strings.Join(c.Cluster.CIDRs, ","), "must be one IPv4 and one IPv6 network when there are two", "")
	case len(clusters) <= 2:
		maskSizes(ipam, clusters, func(field string, value int32, reason, hint string) {
			add(path+field, "cluster.cidrs", fmt.Sprint(value), reason, hint)
		})
		for i, network := range clusters {
			fits(ipam, network, len(clusters) == 1, func(reason, hint string) {
				add(fmt.Sprintf("cluster.cidrs[%d]", i), strings.TrimSuffix(path, "."), network.String(), reason, hint)
			})
		}
	}
}

// prefixes are the networks of a list, and whether all are networks.
func prefixes(list []string) (networks []netip.Prefix, ok bool) {
	for _, text := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, false
		}
		networks = append(networks, p)
	}
	return networks, true
}

// maskSizes: one size for one family, or sizes for the families that there are.
func maskSizes(ipam v1beta1.NodeIPAMController, clusters []netip.Prefix, add func(field string, value int32, reason, hint string)) {
	one, four, six := ipam.NodeCIDRMaskSize, ipam.NodeCIDRMaskSizeIPv4, ipam.NodeCIDRMaskSizeIPv6
	both := len(clusters) == 2
	switch {
	case both && one != 0:
		add("nodeCIDRMaskSize", one, "is not allowed with networks of both families", "use nodeCIDRMaskSizeIPv4 and nodeCIDRMaskSizeIPv6")
	case both:
	case one != 0 && (four != 0 || six != 0):
		add("nodeCIDRMaskSize", one, "is not allowed together with nodeCIDRMaskSizeIPv4 or nodeCIDRMaskSizeIPv6", "keep one of them")
	case four != 0 && !clusters[0].Addr().Is4():
		add("nodeCIDRMaskSizeIPv4", four, "is not allowed when the cluster's network is IPv6", "use nodeCIDRMaskSizeIPv6")
	case six != 0 && clusters[0].Addr().Is4():
		add("nodeCIDRMaskSizeIPv6", six, "is not allowed when the cluster's network is IPv4", "use nodeCIDRMaskSizeIPv4")
	}
}

// fits: the networks of Nodes are parts of the cluster's, and not too small ones.
func fits(ipam v1beta1.NodeIPAMController, cluster netip.Prefix, single bool, add func(reason, hint string)) {
	size, usual := int(ipam.NodeCIDRMaskSizeIPv6), 64
	if cluster.Addr().Is4() {
		size, usual = int(ipam.NodeCIDRMaskSizeIPv4), 24
	}
	if single && ipam.NodeCIDRMaskSize != 0 {
		size = int(ipam.NodeCIDRMaskSize)
	}
	if size == 0 {
		size = usual
	}
	switch {
	case cluster.Bits() > size:
		add(fmt.Sprintf("is smaller than the network of one Node, which has the mask size %d", size), "use a larger network")
	case cluster.Addr().Is6() && size-cluster.Bits() > largestIPv6Step:
		add(fmt.Sprintf("must not be more than %d bits larger than the network of one Node, which has the mask size %d", largestIPv6Step, size),
			fmt.Sprintf("use a network of /%d", size-largestIPv6Step))
	}
}
