// SPDX-License-Identifier: Apache-2.0

// Package managedslices is what controllers that manage EndpointSlices share: which
// slices are a controller's own, and which changes of slices are news to it.
package managedslices

import (
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// ErrStale means that the cache does not yet show this run's own last writes.
const ErrStale staleError = "EndpointSlice informer cache is out of date"

type staleError string

// Error is part of error.
func (e staleError) Error() string { return string(e) }

// Expected says that this is part of normal work: the cache is always a moment
// behind.
func (staleError) Expected() bool { return true }

// Manager is a controller as slices know it: by the name in their label.
type Manager struct {
	// Name is the value of the label by which the controller knows its slices.
	Name string
	// Tracker knows the slices that this run has written. An event that only
	// brings such a write back is no news.
	Tracker *util.EndpointSliceTracker
	// Changed is told which Service a change of slices concerns.
	Changed func(service cache.ObjectName)
	// Logger is told of slices that name no Service.
	Logger klog.Logger
}

// Handler receives the changes of all slices.
func (m *Manager) Handler() controller.Handler[*discoveryv1.EndpointSlice] {
	return controller.Handler[*discoveryv1.EndpointSlice]{Add: m.added, Update: m.updated, Delete: m.deleted}
}

// Owns says whether a slice is the controller's.
func (m *Manager) Owns(slice *discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == m.Name
}

// Usable are the slices that a sync of their Service works with. They are
// copies as far as ports get sorted in place to be compared, which must not
// happen in the cache.
func (m *Manager) Usable(cached []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, slice := range cached {
		if !m.Owns(slice) || slice.DeletionTimestamp != nil {
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

func (m *Manager) added(slice *discoveryv1.EndpointSlice) {
	if m.Owns(slice) && m.Tracker.ShouldSync(slice) {
		m.tell(slice)
	}
}

func (m *Manager) updated(old, slice *discoveryv1.EndpointSlice) {
	if m.hasLeft(old, slice) {
		// The next sync will not find it among the Service's slices. Were it
		// still tracked, the cache would look outdated for ever.
		m.Tracker.HandleDeletion(old)
	}
	for _, state := range m.concerned(old, slice, m.Tracker.ShouldSync(slice)) {
		m.tell(state)
	}
}

func (m *Manager) deleted(slice *discoveryv1.EndpointSlice) {
	if !m.Owns(slice) || !m.Tracker.Has(slice) {
		return
	}
	if expected := m.Tracker.HandleDeletion(slice); !expected {
		m.tell(slice)
	}
}

// hasLeft says whether an update took a slice out of those of its Service: it
// was handed to another Service or manager, or only a finalizer keeps it.
func (m *Manager) hasLeft(old, slice *discoveryv1.EndpointSlice) bool {
	return m.Owns(old) && (!m.Owns(slice) || slice.DeletionTimestamp != nil ||
		old.Labels[discoveryv1.LabelServiceName] != slice.Labels[discoveryv1.LabelServiceName])
}

// concerned are the states of an updated slice whose Services need a sync.
// News is a generation that the controller has not written.
func (m *Manager) concerned(old, slice *discoveryv1.EndpointSlice, news bool) []*discoveryv1.EndpointSlice {
	switch {
	case old.Labels[discoveryv1.LabelServiceName] != slice.Labels[discoveryv1.LabelServiceName]:
		return []*discoveryv1.EndpointSlice{slice, old}
	case m.Owns(old) != m.Owns(slice), m.Owns(slice) && news:
		return []*discoveryv1.EndpointSlice{slice}
	}
	return nil
}

// tell passes on the Service that a state of a slice names.
func (m *Manager) tell(slice *discoveryv1.EndpointSlice) {
	service := slice.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		m.Logger.Error(nil, "EndpointSlice does not name its Service", "slice", klog.KObj(slice), "label", discoveryv1.LabelServiceName)
		return
	}
	m.Changed(cache.NewObjectName(slice.Namespace, service))
}
