// SPDX-License-Identifier: Apache-2.0

package conversion

import (
	"reflect"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Choice is what a list of controllers says about one of them.
type Choice struct {
	// On says whether it runs.
	On bool
	// Index is the entry that decided, from 0.
	Index int
}

// Selection is a list of controllers in upstream's form, understood.
type Selection struct {
	// Baseline is Default when the list has *, else None.
	Baseline string
	// Star is the index of *, or -1.
	Star int
	// Choices are the decisions by canonical name.
	Choices map[string]Choice
	// Unknown are the indexes of entries that name no controller.
	Unknown []int
}

// Select understands a list: * is the baseline, and the first entry that names a
// controller decides about it: by its section's name or any of the others. Empty
// entries say nothing.
func Select(list []string, names map[string]string) Selection {
	s := Selection{Baseline: v1beta1.BaselineNone, Star: -1, Choices: map[string]Choice{}}
	sections := map[string]bool{}
	eachSection(&v1beta1.Controllers{}, func(name string, _ v1beta1.Section) { sections[name] = true })
	for i, entry := range list {
		name, off := strings.CutPrefix(entry, "-")
		canonical, known := names[name]
		if sections[name] {
			canonical, known = name, true
		}
		switch {
		case entry == "":
		case entry == "*":
			s.Baseline = v1beta1.BaselineDefault
			if s.Star < 0 {
				s.Star = i
			}
		case !known:
			s.Unknown = append(s.Unknown, i)
		default:
			if _, decided := s.Choices[canonical]; !decided {
				s.Choices[canonical] = Choice{On: !off, Index: i}
			}
		}
	}
	return s
}

// Apply sets baseline and switches. A controller that the list does not name is
// left to the baseline.
func (s Selection) Apply(c *v1beta1.Controllers) {
	c.Baseline = s.Baseline
	eachSection(c, func(name string, section v1beta1.Section) {
		section.SetExplicit(nil)
		if choice, named := s.Choices[name]; named {
			section.SetExplicit(&choice.On)
		}
	})
}

// List is the shortest list with the same meaning as baseline and switches, in
// the order of the sections.
func List(c *v1beta1.Controllers) []string {
	list := []string{}
	if c.Baseline == v1beta1.BaselineDefault {
		list = append(list, "*")
	}
	eachSection(c, func(name string, section v1beta1.Section) {
		switch on := section.Explicit(); {
		case on == nil:
		case *on:
			list = append(list, name)
		default:
			list = append(list, "-"+name)
		}
	})
	return list
}

func eachSection(c *v1beta1.Controllers, visit func(name string, section v1beta1.Section)) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if section, ok := v.Field(i).Addr().Interface().(v1beta1.Section); ok {
			name, _ := tags.JSONName(v.Type().Field(i))
			visit(name, section)
		}
	}
}
