// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func ours(slice *discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == managedBy
}

// hasLeft says whether an update took a slice out of those of its Service: it
// was handed to another Service or manager, or only a finalizer keeps it.
func hasLeft(old, slice *discoveryv1.EndpointSlice) bool {
	return ours(old) && (!ours(slice) || slice.DeletionTimestamp != nil ||
		old.Labels[discoveryv1.LabelServiceName] != slice.Labels[discoveryv1.LabelServiceName])
}

// concernedBy are the states of an updated slice whose Services need a sync.
// News is a generation that this controller has not written.
func concernedBy(old, slice *discoveryv1.EndpointSlice, news bool) []*discoveryv1.EndpointSlice {
	switch {
	case old.Labels[discoveryv1.LabelServiceName] != slice.Labels[discoveryv1.LabelServiceName]:
		return []*discoveryv1.EndpointSlice{slice, old}
	case ours(old) != ours(slice), ours(slice) && news:
		return []*discoveryv1.EndpointSlice{slice}
	}
	return nil
}

// usable are the slices that a sync of their Service works with. They are
// copies as far as the library sorts them in place, which must not happen in
// the cache.
func usable(cached []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, slice := range cached {
		if !ours(slice) || slice.DeletionTimestamp != nil {
			continue
		}
		if len(slice.Ports) > 1 {
			sortable := *slice
			sortable.Ports = slices.Clone(slice.Ports)
			slice = &sortable
		}
		found = append(found, slice)
	}
	return found
}

// affected are the Services whose endpoints a change of a pod may have changed:
// those that select it, and when its labels are others than before, those that
// began or ceased to. What the pod's change leaves as it was for a Service that
// selects it before and after is not worth a sync.
func affected(services informer.Cache[*corev1.Service], key *util.PodProjectionKey) sets.Set[cache.ObjectName] {
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

// capacityChanged says whether an update of a node changes what its zone can
// serve.
func capacityChanged(old, node *corev1.Node) bool {
	return isReady(old) != isReady(node) ||
		old.Labels[corev1.LabelTopologyZone] != node.Labels[corev1.LabelTopologyZone]
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
