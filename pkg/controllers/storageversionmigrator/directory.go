// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
)

const (
	// shelfLife is how long an answer of discovery is used.
	shelfLife = 30 * time.Second
	// patience is the pause before discovery is asked again for what it does not
	// know.
	patience = 10 * time.Second
)

// errUnknown means that the API serves no such resource.
var errUnknown = errors.New("the API does not serve the resource")

// served is how the API serves a resource.
type served struct {
	monitors.Resource

	resource schema.GroupVersionResource
}

// refusal tells why a resource cannot be migrated; it is empty when it can.
func (s served) refusal() string {
	needed := []string{"update", "patch", "list"}
	if s.Can(needed...) {
		return ""
	}
	return fmt.Sprintf("resource %q does not support discovery operations: %v", s.resource, needed)
}

// directory knows what the API serves, each resource in its preferred version.
type directory struct {
	discover func(context.Context) (*monitors.Served, error)
	clock    clock.PassiveClock
	// outdated has the next question asked anew.
	outdated atomic.Bool

	mu     sync.Mutex
	known  map[metav1.GroupResource]served
	failed map[schema.GroupVersion]error
	asked  time.Time
}

func newDirectory(c clock.PassiveClock, discover func(context.Context) (*monitors.Served, error)) *directory {
	return &directory{discover: discover, clock: c}
}

// outdate says that there may be something new. It does not wait.
func (d *directory) outdate() { d.outdated.Store(true) }

// find tells how a resource is served, or errUnknown.
func (d *directory) find(ctx context.Context, r metav1.GroupResource) (served, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	age := shelfLife
	if _, found := d.known[r]; !found {
		age = patience
	}
	if d.outdated.Load() || d.asked.IsZero() || d.clock.Since(d.asked) >= age {
		if err := d.ask(ctx); err != nil {
			return served{}, err
		}
	}
	if s, found := d.known[r]; found {
		return s, nil
	}
	for gv, err := range d.failed {
		if gv.Group == r.Group {
			return served{}, fmt.Errorf("discovery of %s: %w", gv, err)
		}
	}
	return served{}, errUnknown
}

func (d *directory) ask(ctx context.Context) error {
	d.outdated.Store(false)
	answer, err := d.discover(ctx)
	if err != nil {
		d.outdated.Store(true)
		return err
	}
	d.known, d.failed, d.asked = map[metav1.GroupResource]served{}, answer.Failed, d.clock.Now()
	for r, resource := range answer.Resources {
		d.known[metav1.GroupResource{Group: r.Group, Resource: r.Resource}] = served{resource, r}
	}
	return nil
}
