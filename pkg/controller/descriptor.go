// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Controller is one run of a controller, not started.
type Controller interface {
	// Run works until the context ends. Its return proves that everything it
	// started has ended. An error means that it could not go on: it is logged
	// and the controller is started anew, with backoff.
	Run(ctx context.Context) error
}

// Healthy is a Controller that can work worse than it should without failing, for
// example on key material that it could not read again.
type Healthy interface {
	// Health is nil while all is well. It is called often, from any goroutine,
	// between New and the end of Run, and must not wait.
	Health() error
}

// Descriptor is what the manager knows about a controller without running it.
type Descriptor struct {
	// Name is the canonical name: key of the section, name in the log, label
	// in metrics.
	Name string
	// Alias is upstream's older name, or "".
	Alias string
	// ServiceAccount in kube-system whose rights the controller has.
	ServiceAccount string
	// Root is given instead of ServiceAccount by a controller that acts as the
	// manager itself: the name of its client, which ends the user agent.
	Root string
	// Component is what its events name as their source; default: the Name.
	Component string
	// OffByDefault controllers run only when their section says so.
	OffByDefault bool
	// Gates are the feature gates it reads; a flip of one restarts it.
	Gates []feature.Gate
	// Required gates must be on, or the controller stays off.
	Required []feature.Gate
	// Scale multiplies the configured request rate.
	Scale client.Scale

	section int // index of the field in v1beta1.Controllers
	build   func(Env, v1beta1.Section) (Controller, error)
}

// Define completes a descriptor with the constructor. S is the type of the
// controller's section; it panics when v1beta1.Controllers has no field of that
// type under the descriptor's name, so the first test that loads the catalog
// finds the mistake.
func Define[S any, P interface {
	*S
	v1beta1.Section
}](d Descriptor, construct func(Env, P) (Controller, error)) Descriptor {
	t := reflect.TypeFor[v1beta1.Controllers]()
	d.section = -1
	for i := range t.NumField() {
		if name, _ := tags.JSONName(t.Field(i)); name == d.Name && t.Field(i).Type == reflect.TypeFor[S]() {
			d.section = i
		}
	}
	if d.section < 0 {
		panic(fmt.Sprintf("v1beta1.Controllers has no field %q of type %s", d.Name, reflect.TypeFor[S]()))
	}
	d.build = func(env Env, section v1beta1.Section) (Controller, error) {
		return construct(env, section.(P))
	}
	return d
}

// Section is the controller's part of a configuration. It is shared, not a
// copy.
func (d Descriptor) Section(c *v1beta1.Controllers) v1beta1.Section {
	return reflect.ValueOf(c).Elem().Field(d.section).Addr().Interface().(v1beta1.Section)
}

// Enabled says whether a configuration runs the controller, and if not, why.
func (d Descriptor) Enabled(c *v1beta1.Controllers, gates feature.Set) (bool, string) {
	explicit := d.Section(c).Explicit()
	switch {
	case explicit != nil && !*explicit:
		return false, "disabled in its section"
	case explicit == nil && c.Baseline == v1beta1.BaselineNone:
		return false, "not enabled and the baseline is None"
	case explicit == nil && d.OffByDefault:
		return false, "off by default"
	}
	for _, g := range d.Required {
		if !gates.Enabled(g) {
			return false, fmt.Sprintf("feature gate %s is off", g)
		}
	}
	return true, ""
}

// WorkersOf is the worker count a section asks for: the value of its field that
// is tagged change:"resize". A section without one has a single worker.
func WorkersOf(section v1beta1.Section) int {
	n := 1
	tags.Walk(section, func(f tags.Field) {
		if f.Resizes() {
			n = int(f.Value.Int())
		}
	})
	return n
}

// DeclinedError is what a constructor returns when its section leaves it nothing to
// do: the controller is off, which is no failure.
type DeclinedError struct{ Reason string }

// Error is part of error.
func (e *DeclinedError) Error() string { return e.Reason }

// Decline makes the error with which a constructor declines to run.
func Decline(reason string) error { return &DeclinedError{Reason: reason} }

// Declined says whether a constructor declined, and why.
func Declined(err error) (string, bool) {
	var off *DeclinedError
	if errors.As(err, &off) {
		return off.Reason, true
	}
	return "", false
}
