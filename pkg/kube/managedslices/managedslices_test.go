// SPDX-License-Identifier: Apache-2.0

package managedslices

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"
	"k8s.io/klog/v2"
)

const us = "us.example.com"

func slice(service, name string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: "here", Name: "s",
		Labels: map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: name},
	}}
}

func TestUpdateOfASlice(t *testing.T) {
	manager := &Manager{Name: us}
	now := metav1.Now()
	dying := slice("web", us)
	dying.DeletionTimestamp = &now
	for _, test := range []struct {
		name     string
		old, new *discoveryv1.EndpointSlice
		news     bool
		want     []string // Services to sync
		left     bool
	}{
		{"own write comes back", slice("web", us), slice("web", us), false, nil, false},
		{"edited", slice("web", us), slice("web", us), true, []string{"web"}, false},
		{"somebody else's edited", slice("web", "x"), slice("web", "x"), true, nil, false},
		{"taken from us", slice("web", us), slice("web", "x"), false, []string{"web"}, true},
		{"given to us", slice("web", "x"), slice("web", us), false, []string{"web"}, false},
		{"moved to another Service", slice("web", us), slice("db", us), false, []string{"db", "web"}, true},
		{"somebody else's moved", slice("web", "x"), slice("db", "x"), false, []string{"db", "web"}, false},
		{"pending deletion", slice("web", us), dying, true, []string{"web"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, s := range manager.concerned(test.old, test.new, test.news) {
				got = append(got, s.Labels[discoveryv1.LabelServiceName])
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if got := manager.hasLeft(test.old, test.new); got != test.left {
				t.Errorf("has left: %v", got)
			}
		})
	}
}

func TestUsableSlicesAreSafeToSort(t *testing.T) {
	manager := &Manager{Name: us}
	now := metav1.Now()
	dying, foreign, mine := slice("web", us), slice("web", "x"), slice("web", us)
	dying.DeletionTimestamp = &now
	for _, name := range []string{"b", "a", "c", "d"} {
		mine.Ports = append(mine.Ports, discoveryv1.EndpointPort{Name: &name})
	}
	before := mine.DeepCopy()
	got := manager.Usable([]*discoveryv1.EndpointSlice{dying, foreign, mine})
	if diff := cmp.Diff([]*discoveryv1.EndpointSlice{before}, got); diff != "" {
		t.Fatal(diff)
	}
	slices.Reverse(got[0].Ports)
	if diff := cmp.Diff(before, mine); diff != "" {
		t.Error("the cached slice changed:", diff)
	}
}

// TestEvents follows slices through the events of a run that writes some of them.
func TestEvents(t *testing.T) {
	var told []string
	m := &Manager{Name: us, Tracker: util.NewEndpointSliceTracker(), Logger: klog.Background(),
		Changed: func(s cache.ObjectName) { told = append(told, s.Name) }}
	state := func(service, name, uid string, generation int64) *discoveryv1.EndpointSlice {
		s := slice(service, name)
		s.UID, s.Generation = types.UID(uid), generation
		return s
	}
	written, foreign := state("web", us, "1", 1), state("web", "x", "2", 1)
	m.Tracker.Update(written)
	h := m.Handler()
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"own creation comes back", func() { h.Add(written) }, nil},
		{"a slice of a former run", func() { h.Add(state("old", us, "3", 5)) }, []string{"old"}},
		{"somebody else's", func() { h.Add(foreign); h.Update(foreign, state("web", "x", "2", 2)); h.Delete(foreign) }, nil},
		{"edited", func() { h.Update(written, state("web", us, "1", 2)) }, []string{"web"}},
		{"labels edited", func() { h.Update(written, written) }, nil},
		{"one that nobody tracks goes", func() { h.Delete(state("old", us, "3", 5)) }, nil},
		{"without a Service", func() { h.Add(state("", us, "4", 1)) }, nil},
		{"deleted by somebody", func() { h.Delete(written) }, []string{"web"}},
		{"deleted by us", func() { m.Tracker.Update(written); m.Tracker.ExpectDeletion(written); h.Delete(written) }, nil},
		{"moved", func() { m.Tracker.Update(written); h.Update(written, state("shop", us, "1", 1)) }, []string{"shop", "web"}},
	} {
		told = nil
		step.do()
		if diff := cmp.Diff(step.want, told); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	if m.Tracker.Has(written) {
		t.Error("a slice that left is still tracked")
	}
}
