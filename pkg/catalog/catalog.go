// SPDX-License-Identifier: Apache-2.0

// Package catalog is the list of all controllers, a line each.
package catalog

import (
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/cronjob"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/daemonset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/deployment"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/disruption"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/endpointslice"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/garbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/horizontalpodautoscaler"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/job"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/namespace"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/podgarbagecollector"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/podgroupprotection"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicationcontroller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/rootcacertificatepublisher"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/serviceaccount"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/statefulset"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/ttlafterfinished"
)

// All are the descriptors of the controllers, sorted by name.
func All() []controller.Descriptor {
	return []controller.Descriptor{
		cronjob.Descriptor(),
		daemonset.Descriptor(),
		deployment.Descriptor(),
		disruption.Descriptor(),
		endpointslice.Descriptor(),
		garbagecollector.Descriptor(),
		horizontalpodautoscaler.Descriptor(),
		job.Descriptor(),
		namespace.Descriptor(),
		podgarbagecollector.Descriptor(),
		podgroupprotection.Descriptor(),
		replicaset.Descriptor(),
		replicationcontroller.Descriptor(),
		rootcacertificatepublisher.Descriptor(),
		serviceaccount.Descriptor(),
		statefulset.Descriptor(),
		ttlafterfinished.Descriptor(),
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
