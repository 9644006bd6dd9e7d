// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/endpointslice/util"
)

// changes are what has to be done to the slices of an Endpoints object.
type changes struct {
	create, update, remove []*discoveryv1.EndpointSlice
	// right ones stay as they are.
	right []*discoveryv1.EndpointSlice

	counts
	// sizes are the endpoints and slices there will be.
	sizes sizes
}

// counts are what changes for endpoints.
type counts struct{ added, updated, removed int }

func (c *counts) plus(o counts) {
	c.added, c.updated, c.removed = c.added+o.added, c.updated+o.updated, c.removed+o.removed
}

// sizes are what the gauges add up.
type sizes struct{ endpoints, slices, desired int }

// decide compares what an Endpoints object says with its slices, whose ports get
// sorted. Each group gets one slice.
func decide(e *corev1.Endpoints, c *content, existing []*discoveryv1.EndpointSlice) *changes {
	plan := &changes{}
	groups := map[groupKey][]*discoveryv1.EndpointSlice{}
	existing = slices.SortedFunc(slices.Values(existing), func(a, b *discoveryv1.EndpointSlice) int { return strings.Compare(a.Name, b.Name) })
	for _, slice := range existing {
		key := groupKey{slice.AddressType, util.NewPortMapKey(slice.Ports)}
		if c.groups[key] == nil {
			plan.drop(slice)
			continue
		}
		groups[key] = append(groups[key], slice)
	}
	for _, key := range c.order {
		plan.decideGroup(e, c.groups[key], groups[key])
	}
	plan.recycle()
	return plan
}

func (p *changes) drop(slice *discoveryv1.EndpointSlice) {
	p.remove = append(p.remove, slice)
	p.removed += len(slice.Endpoints)
}

func (p *changes) decideGroup(e *corev1.Endpoints, g *group, existing []*discoveryv1.EndpointSlice) {
	p.sizes.endpoints += len(g.endpoints)
	p.sizes.slices++
	p.sizes.desired++
	slice := sliceFor(e, g)
	if len(existing) == 0 {
		p.added += len(g.endpoints)
		p.create = append(p.create, slice)
		return
	}
	first := existing[0]
	p.remove = append(p.remove, existing[1:]...)
	differ := compare(g, first.Endpoints)
	p.plus(differ)
	if differ == (counts{}) && maps.Equal(slice.Labels, first.Labels) && maps.Equal(slice.Annotations, first.Annotations) && !hasOldOwner(first, e) {
		p.right = append(p.right, first)
		return
	}
	slice.Name = first.Name
	slice.GenerateName = "" // as upstream: what is written again under a name has lost its prefix
	p.update = append(p.update, slice)
}

// compare counts what makes the endpoints of a slice those of a group.
func compare(g *group, existing []discoveryv1.Endpoint) (differ counts) {
	found := map[identity]bool{}
	for i := range existing {
		id := identityOf(&existing[i])
		at, wanted := g.places[id]
		switch {
		case !wanted || at >= len(g.endpoints) || found[id]:
			differ.removed++
		case !util.EndpointsEqualBeyondHash(&g.endpoints[at], &existing[i]):
			differ.updated++
			found[id] = true
		default:
			found[id] = true
		}
	}
	differ.added = len(g.endpoints) - len(found)
	return differ
}

// hasOldOwner says whether the slice was made for an earlier object of the same
// name, with which it would be collected.
func hasOldOwner(slice *discoveryv1.EndpointSlice, e *corev1.Endpoints) bool {
	return slices.ContainsFunc(slice.OwnerReferences, func(ref metav1.OwnerReference) bool {
		return ref.Kind == "Endpoints" && ref.Name == e.Name && ref.UID != e.UID
	})
}

// recycle turns a creation and a removal into an update, which those who watch
// see at once.
func (p *changes) recycle() {
	var create []*discoveryv1.EndpointSlice
	for _, slice := range p.create {
		at := slices.IndexFunc(p.remove, func(o *discoveryv1.EndpointSlice) bool { return o.AddressType == slice.AddressType })
		if at < 0 {
			create = append(create, slice)
			continue
		}
		slice.Name = p.remove[at].Name
		p.update = append(p.update, slice)
		p.remove = slices.Delete(p.remove, at, at+1)
	}
	p.create = create
}

// sliceFor is the slice of a group, without a name of its own.
func sliceFor(e *corev1.Endpoints, g *group) *discoveryv1.EndpointSlice {
	labels := maps.Clone(e.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[discoveryv1.LabelServiceName] = e.Name
	labels[discoveryv1.LabelManagedBy] = managedBy
	annotations := maps.Clone(e.Annotations)
	delete(annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: prefixFor(e.Name), Namespace: e.Namespace, Labels: labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(e, corev1.SchemeGroupVersion.WithKind("Endpoints"))},
		},
		AddressType: g.family, Ports: g.ports, Endpoints: g.endpoints,
	}
}

// prefixFor is the name and a dash, unless that is too long to begin a name.
func prefixFor(name string) string {
	if prefix := name + "-"; len(validation.NameIsDNSSubdomain(prefix, true)) == 0 {
		return prefix
	}
	return name
}
