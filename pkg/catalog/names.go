// SPDX-License-Identifier: Apache-2.0

package catalog

// upstream are the controllers of kube-controller-manager 1.37 and their older
// names, so that command lines which name one are understood whether or not it
// is implemented here.
var upstream = []struct{ name, alias string }{
	{"bootstrap-signer-controller", "bootstrapsigner"},
	{"certificatesigningrequest-approving-controller", "csrapproving"},
	{"certificatesigningrequest-cleaner-controller", "csrcleaner"},
	{"certificatesigningrequest-signing-controller", "csrsigning"},
	{"clusterrole-aggregation-controller", "clusterrole-aggregation"},
	{"cronjob-controller", "cronjob"},
	{"daemonset-controller", "daemonset"},
	{"deployment-controller", "deployment"},
	{"device-taint-eviction-controller", ""},
	{"disruption-controller", "disruption"},
	{"endpoints-controller", "endpoint"},
	{"endpointslice-controller", "endpointslice"},
	{"endpointslice-mirroring-controller", "endpointslicemirroring"},
	{"ephemeral-volume-controller", "ephemeral-volume"},
	{"garbage-collector-controller", "garbagecollector"},
	{"horizontal-pod-autoscaler-controller", "horizontalpodautoscaling"},
	{"job-controller", "job"},
	{"kube-apiserver-serving-clustertrustbundle-publisher-controller", ""},
	{"legacy-serviceaccount-token-cleaner-controller", "legacy-service-account-token-cleaner"},
	{"namespace-controller", "namespace"},
	{"node-ipam-controller", "nodeipam"},
	{"node-lifecycle-controller", "nodelifecycle"},
	{"persistentvolume-attach-detach-controller", "attachdetach"},
	{"persistentvolume-binder-controller", "persistentvolume-binder"},
	{"persistentvolume-expander-controller", "persistentvolume-expander"},
	{"persistentvolume-protection-controller", "pv-protection"},
	{"persistentvolumeclaim-protection-controller", "pvc-protection"},
	{"pod-garbage-collector-controller", "podgc"},
	{"podcertificaterequest-cleaner-controller", ""},
	{"podgroup-protection-controller", ""},
	{"replicaset-controller", "replicaset"},
	{"replicationcontroller-controller", "replicationcontroller"},
	{"resourceclaim-controller", "resource-claim-controller"},
	{"resourcepoolstatusrequest-controller", ""},
	{"resourcequota-controller", "resourcequota"},
	{"root-ca-certificate-publisher-controller", "root-ca-cert-publisher"},
	{"selinux-warning-controller", ""},
	{"service-cidr-controller", ""},
	{"serviceaccount-controller", "serviceaccount"},
	{"serviceaccount-token-controller", "serviceaccount-token"},
	{"statefulset-controller", "statefulset"},
	{"storage-version-migrator-controller", "svm"},
	{"storageversion-garbage-collector-controller", "storage-version-gc"},
	{"taint-eviction-controller", ""},
	{"token-cleaner-controller", "tokencleaner"},
	{"ttl-after-finished-controller", "ttl-after-finished"},
	{"ttl-controller", "ttl"},
	{"validatingadmissionpolicy-status-controller", ""},
	{"volumeattributesclass-protection-controller", ""},
}

// extra are further names that people use; upstream refuses them.
var extra = []struct{ alias, name string }{
	{"node", "node-lifecycle-controller"},
	{"node-lifecycle", "node-lifecycle-controller"},
	{"persistent-volume-binder", "persistentvolume-binder-controller"},
	{"resource-quota", "resourcequota-controller"},
	{"service", "service-lb-controller"},
	{"service-lb-controller", "service-lb-controller"},
	{"route", "node-route-controller"},
	{"node-route-controller", "node-route-controller"},
	{"cloud-node-lifecycle", "cloud-node-lifecycle-controller"},
	{"cloud-node-lifecycle-controller", "cloud-node-lifecycle-controller"},
}

// Implemented tells by its canonical name whether this program has a controller.
func Implemented() func(name string) bool {
	have := map[string]bool{}
	for _, d := range All() {
		have[d.Name] = true
	}
	return func(name string) bool { return have[name] }
}
