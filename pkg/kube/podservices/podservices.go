// SPDX-License-Identifier: Apache-2.0

// Package podservices says which Services a change of a pod concerns.
package podservices

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Affected are the Services whose endpoints a change of a pod may have changed:
// those that select it, and when its labels are others than before, those that
// began or ceased to. What the pod's change leaves as it was for a Service that
// selects it before and after is not worth a sync.
func Affected(services informer.Cache[*corev1.Service], key *util.PodProjectionKey) sets.Set[cache.ObjectName] {
	now := selecting(services, key.Namespace, key.Labels)
	if key.OldLabels == nil {
		return now
	}
	before := selecting(services, key.Namespace, key.OldLabels)
	if key.PodChanged {
		return now.Union(before)
	}
	return now.SymmetricDifference(before)
}

func selecting(services informer.Cache[*corev1.Service], namespace string, pod labels.Set) sets.Set[cache.ObjectName] {
	found := sets.New[cache.ObjectName]()
	for _, s := range services.Selecting(namespace, pod) {
		if labels.Set(s.Spec.Selector).AsSelectorPreValidated().Matches(pod) {
			found.Insert(cache.MetaObjectToName(s))
		}
	}
	return found
}
