// SPDX-License-Identifier: Apache-2.0

// Package catalog is the list of all controllers, a line each.
package catalog

import (
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/bootstrapsigner"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/certificatesigningrequestapproving"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/certificatesigningrequestcleaner"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/certificatesigningrequestsigning"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/clusterroleaggregation"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/cronjob"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/deployment"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/disruption"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpoints"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpointslice"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpointslicemirroring"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/garbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/horizontalpodautoscaler"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/kubeapiserverservingclustertrustbundlepublisher"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/legacyserviceaccounttokencleaner"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/namespace"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/podcertificaterequestcleaner"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/podgarbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/podgroupprotection"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicationcontroller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/resourcequota"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/rootcacertificatepublisher"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/serviceaccount"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/serviceaccounttoken"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/servicecidr"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/statefulset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/storageversiongarbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/storageversionmigrator"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/tokencleaner"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/ttlafterfinished"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/validatingadmissionpolicystatus"
)

// All are the descriptors of the controllers, sorted by name.
func All() []controller.Descriptor {
	return []controller.Descriptor{
		bootstrapsigner.Descriptor(),
		certificatesigningrequestapproving.Descriptor(),
		certificatesigningrequestcleaner.Descriptor(),
		certificatesigningrequestsigning.Descriptor(),
		clusterroleaggregation.Descriptor(),
		cronjob.Descriptor(),
		daemonset.Descriptor(),
		deployment.Descriptor(),
		disruption.Descriptor(),
		endpoints.Descriptor(),
		endpointslice.Descriptor(),
		endpointslicemirroring.Descriptor(),
		garbagecollector.Descriptor(),
		horizontalpodautoscaler.Descriptor(),
		job.Descriptor(),
		kubeapiserverservingclustertrustbundlepublisher.Descriptor(),
		legacyserviceaccounttokencleaner.Descriptor(),
		namespace.Descriptor(),
		podcertificaterequestcleaner.Descriptor(),
		podgarbagecollector.Descriptor(),
		podgroupprotection.Descriptor(),
		replicaset.Descriptor(),
		replicationcontroller.Descriptor(),
		resourcequota.Descriptor(),
		rootcacertificatepublisher.Descriptor(),
		servicecidr.Descriptor(),
		serviceaccount.Descriptor(),
		serviceaccounttoken.Descriptor(),
		statefulset.Descriptor(),
		storageversionmigrator.Descriptor(),
		storageversiongarbagecollector.Descriptor(),
		tokencleaner.Descriptor(),
		ttlafterfinished.Descriptor(),
		validatingadmissionpolicystatus.Descriptor(),
	}
}

// Names has every name that may stand for a controller in --controllers, with
// the canonical one.
func Names() map[string]string {
	names := map[string]string{}
	for _, c := range upstream {
		names[c.name] = c.name
		if c.alias != "" {
			names[c.alias] = c.name
		}
	}
	for _, c := range extra {
		names[c.alias] = c.name
	}
	return names
}
