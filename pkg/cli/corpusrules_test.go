// SPDX-License-Identifier: Apache-2.0

package cli

// upstreamRule is a rule that upstream's program has for its options, or that one
// of its controllers has when it is built, as far as it concerns values and not
// the content of other files.
type upstreamRule struct {
	words string
	files []string
}

// upstreamRules are all of them. Not among them are those that upstream applies to
// the content of files (kubeconfigs, certificates, keys, templates of recycler
// pods, the file of the leader migration, which is not read): they are no matter
// of the configuration. That the garbage collector must run for the storage version
// migrator is a warning, KCM106. Flags alone have the rules about arguments and
// about the prefix "kube:".
func upstreamRules() []upstreamRule {
	list := []upstreamRule{
		{"a list of controllers has known names", []string{"alpha-unknown-controller", "legacy-controller"}},
		{"the allocator of networks is RangeAllocator", []string{"enum-cidr-allocator"}},
		{"the cloud provider is external", []string{"enum-cloud-provider"}},
		{"the lock is one that there is", []string{"enum-resource-lock", "alpha-resource-lock"}},
		{"a lease is longer than the deadline of its renewal", []string{"cross-lease-and-renew", "alpha-lease", "period-lease"}},
		{"the deadline is longer than 1.2 times the retry period", []string{"cross-renew-and-retry", "period-renew"}},
		{"the retry period is positive", []string{"period-retry"}},
		{"emulated versions begin at 1.34", []string{"form-emulated-too-old"}},
		{"emulated versions have no patch number", []string{"form-emulated-patch"}},
		{"emulated versions are of the component kube", []string{"form-emulated-component"}},
		{"a component is emulated in one version", []string{"cross-emulated-twice"}},
		{"compatible versions begin at 1.34", []string{"form-compatible-too-old"}},
		{"compatible versions are not later than the emulated one", []string{"cross-compatible-later"}},
		{"a component is compatible with one version", []string{"cross-compatible-twice"}},
		{"a feature gate is known", []string{"gate-unknown", "gate-typo", "gate-case", "legacy-gate"}},
		{"a feature gate is true or false", []string{"type-gate-not-boolean", "type-gate-in-quotes"}},
		{"a locked feature gate keeps its value", []string{"gate-locked"}},
		{"what a feature gate depends on is on", []string{"gate-dependency", "gate-dependency-missing", "gate-all-alpha"}},
		{"the port is from 0 to 65535", []string{"range-port-negative", "range-port-too-large", "legacy-port"}},
		{"the bind address is an IP address", []string{"form-bind-address", "form-bind-address-with-port"}},
		{"cipher suites are known", []string{"form-cipher-suite"}},
		{"curves are known", []string{"form-curve-unknown"}},
		{"no curve is there twice", []string{"list-curve-twice"}},
		{"the TLS version is known", []string{"enum-tls-version"}},
		{"the serving certificate has a key", []string{"cross-certificate-without-key"}},
		{"the serving key has a certificate", []string{"cross-key-without-certificate"}},
		{"a certificate for a name has a key", []string{"form-certificate-without-key"}},
		{"no name of the front proxy is empty", []string{"form-allowed-name-empty"}},
		{"no header of users is empty", []string{"form-user-header-empty"}},
		{"no header of groups is empty", []string{"form-group-header-empty"}},
		{"no header of UIDs is empty", []string{"form-uid-header-empty"}},
		{"no prefix of extra headers is empty", []string{"form-extra-header-empty"}},
		{"headers of UIDs need their gate", []string{"cross-uid-header-gate"}},
		{"headers of UIDs contain the standard one", []string{"cross-uid-header-missing"}},
		{"a path that is always allowed has * at its end only", []string{"form-allow-path"}},
		{"labels of metrics are METRIC,LABEL", []string{"form-metric-label"}},
		{"labels of metrics are in the configuration or in a file", []string{"cross-metric-labels"}},
		{"names of metrics are well-formed", []string{"form-disabled-metric"}},
		{"hidden metrics are those of the release before", []string{"enum-hidden-metrics"}},
		{"the flush interval is positive", []string{"period-flush"}},
		{"the log format is text or json", []string{"enum-log-format"}},
		{"verbosity is a number that is not negative", []string{"range-verbosity-negative", "type-verbosity-too-large"}},
		{"vmodule is PATTERN=N", []string{"form-vmodule", "form-vmodule-level"}},
		{"vmodule needs the format text", []string{"cross-vmodule-json"}},
		{"settings of logs that are alpha need their gate", []string{"gate-logging-json-buffer", "gate-logging-json-stream", "gate-logging-text-buffer", "gate-logging-text-stream"}},
		{"sizes of buffers are quantities", []string{"form-buffer-size"}},
		{"attach-detach compares at most once a second", []string{"period-attach-detach"}},
		{"the CA of all signers excludes those of single ones", []string{"cross-signing-one-and-single-certificate", "cross-signing-one-and-single-key", "alpha-signing"}},
		{"slices have 1 to 1000 endpoints", []string{"range-slice-zero", "range-slice-too-large"}},
		{"endpointslice-controller has 1 to 50 workers", []string{"range-endpointslice-workers", "range-workers-too-many"}},
		{"mirrored subsets have 1 to 1000 addresses", []string{"range-mirroring-subset-zero", "range-mirroring-subset-too-large"}},
		{"endpointslice-mirroring-controller has 1 to 50 workers", []string{"range-endpointslice-mirroring-workers", "range-endpointslice-mirroring-workers-too-many"}},
		{"there are at most two service networks", []string{"list-service-cidrs-three"}},
		{"two service networks are of different families", []string{"cross-service-cidrs-one-family"}},
		{"there are at most two networks of the cluster", []string{"list-cluster-cidrs-three"}},
		{"networks are in CIDR notation", []string{"form-cluster-cidr", "form-cluster-cidr-address", "form-service-cidr", "alpha-three-service-networks"}},
		{"Nodes get networks out of one", []string{"cross-node-ipam-without-networks"}},
		{"two networks of the cluster are of different families", []string{"cross-node-ipam-one-family"}},
		{"with two families each has its mask size", []string{"cross-node-ipam-mask-for-two-families"}},
		{"with one family there is one mask size", []string{"cross-node-ipam-two-kinds-of-masks"}},
		{"no IPv4 mask size for an IPv6 cluster", []string{"cross-node-ipam-ipv4-mask"}},
		{"no IPv6 mask size for an IPv4 cluster", []string{"cross-node-ipam-ipv6-mask"}},
		{"the network of a Node fits into that of the cluster", []string{"cross-node-ipam-network-too-small"}},
		{"an IPv6 network of the cluster is not too large", []string{"cross-node-ipam-network-too-large"}},
	}
	for _, signer := range []string{"kubelet-serving", "kubelet-client", "kube-apiserver-client", "legacy-unknown"} {
		list = append(list,
			upstreamRule{"the certificate of the signer " + signer + " has a key", []string{"cross-signing-" + signer + "-certificate-only"}},
			upstreamRule{"the key of the signer " + signer + " has a certificate", []string{"cross-signing-" + signer + "-key-only"}})
	}
	for _, name := range []string{"cloud-node-lifecycle", "cronjob", "daemonset", "device-taint-eviction", "ephemeral-volume",
		"horizontal-pod-autoscaler", "job", "resourceclaim", "statefulset", "validatingadmissionpolicy-status"} {
		list = append(list, upstreamRule{name + "-controller has a worker", []string{"range-" + name + "-workers"}})
	}
	return list
}
