// SPDX-License-Identifier: Apache-2.0

package monitors

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// Options of a Set.
type Options struct {
	Loop   *controller.Loop
	Clock  clock.PassiveClock
	Logger klog.Logger
	// Patience is how long caches may take to fill. One that takes longer is late.
	Patience time.Duration
	// Wanted is the choice of resources to monitor.
	Wanted Choice
	// Handler receives the changes of a resource's objects. Cached objects do not
	// carry their kind.
	Handler func(schema.GroupVersionResource, Resource) controller.Handler[metav1.Object]
	// Left is called when a resource is not monitored any more, after the last call
	// of its handler. It may be nil.
	Left func(schema.GroupVersionResource, Resource)
}

// Monitor watches the objects of one resource.
type Monitor struct {
	*controller.Attachment
	Resource Resource

	since    time.Time
	reported bool
}

// Set is the monitors of a controller. It is not safe for concurrent use; the
// attachments of its monitors are.
type Set struct {
	opts     Options
	monitors map[schema.GroupVersionResource]*Monitor
}

// NewSet makes an empty set.
func NewSet(opts Options) *Set {
	return &Set{opts: opts, monitors: map[schema.GroupVersionResource]*Monitor{}}
}

// Follow makes the monitors those of what is served. It waits for no cache. The
// error tells of resources that could not be attached, which are tried again the
// next time, and, once for each, of those that are late.
func (s *Set) Follow(served *Served) error {
	if len(served.Failed) > 0 {
		s.opts.Logger.Info("Discovery failed for some groups, keeping their monitors", "failures", served.Failed)
	}
	want := served.Wanted(s.opts.Wanted, s.synced())
	err := errors.Join(s.join(want), s.overdue())
	s.leave(want)
	return err
}

// All are the monitors by resource. A resource may be monitored in two versions for
// as long as the cache of the new one fills.
func (s *Set) All() iter.Seq2[schema.GroupVersionResource, *Monitor] { return maps.All(s.monitors) }

// Len is the number of monitors.
func (s *Set) Len() int { return len(s.monitors) }

// Late says whether a monitor has used up its time and still does not know all
// objects.
func (s *Set) Late(m *Monitor) bool {
	return !m.HasSynced() && s.opts.Clock.Since(m.since) >= s.opts.Patience
}

// Filling says whether it is worth to wait for a monitor.
func (s *Set) Filling() bool {
	return s.filling(func(schema.GroupVersionResource) bool { return true })
}

func (s *Set) filling(of func(schema.GroupVersionResource) bool) bool {
	for r, m := range s.monitors {
		if of(r) && !m.HasSynced() && !s.Late(m) {
			return true
		}
	}
	return false
}

// join begins to monitor what is not monitored yet.
func (s *Set) join(want Resources) (err error) {
	for r, resource := range want {
		if m := s.monitors[r]; m != nil {
			if m.Resource.same(resource) {
				continue
			}
			s.detach(r, m) // a custom resource that was defined anew
		}
		err = errors.Join(err, s.attach(r, resource))
	}
	return err
}

// leave ends the monitors of what is not served any more. When others of the
// group are filling, it may be served in another version: then they first see
// the objects, so that these are known all the time.
func (s *Set) leave(want Resources) {
	for r, m := range s.monitors {
		_, stays := want[r]
		sibling := func(other schema.GroupVersionResource) bool {
			_, stays := want[other]
			return stays && other.Group == r.Group
		}
		if !stays && !s.filling(sibling) {
			s.detach(r, m)
		}
	}
}

func (s *Set) attach(r schema.GroupVersionResource, resource Resource) error {
	a, err := controller.Attach(s.opts.Loop, source(r, resource), s.opts.Handler(r, resource))
	if err != nil {
		return err
	}
	s.opts.Logger.V(5).Info("Monitoring a resource", "resource", r)
	s.monitors[r] = &Monitor{Attachment: a, Resource: resource, since: s.opts.Clock.Now()}
	return nil
}

func (s *Set) detach(r schema.GroupVersionResource, m *Monitor) {
	s.opts.Logger.V(5).Info("Not monitoring a resource any more", "resource", r)
	m.Detach()
	delete(s.monitors, r)
	if s.opts.Left != nil {
		s.opts.Left(r, m.Resource)
	}
}

// synced are the resources whose objects are all known.
func (s *Set) synced() Resources {
	list := Resources{}
	for r, m := range s.monitors {
		if m.HasSynced() {
			list[r] = m.Resource
		}
	}
	return list
}

// overdue is an error about monitors that are late, once for each.
func (s *Set) overdue() (err error) {
	for r, m := range s.monitors {
		if !m.reported && s.Late(m) {
			m.reported = true
			err = errors.Join(err, fmt.Errorf("the objects of %s are not known after %s", r, s.opts.Patience))
		}
	}
	return err
}
