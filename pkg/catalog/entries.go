// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"reflect"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Entry is what is known about a controller whether or not this program has it.
type Entry struct {
	// Name is the canonical name.
	Name string `json:"name"`
	// Alias is upstream's older name, or "".
	Alias string `json:"alias,omitempty"`
	// Names are further names that --controllers understands.
	Names []string `json:"otherNames,omitempty"`
	// Default says whether the baseline Default runs it.
	Default bool `json:"onByDefault"`
	// Implemented says whether this program has it; the fields below are known
	// only then.
	Implemented bool `json:"implemented"`
	// Gates it reads: a flip of one restarts it.
	Gates []feature.Gate `json:"gates,omitempty"`
	// Required gates must be on for it to run.
	Required []feature.Gate `json:"requiredGates,omitempty"`
	// ServiceAccount in kube-system whose rights it has.
	ServiceAccount string `json:"serviceAccount,omitempty"`
}

// Entries are all controllers that a configuration has a section for, sorted by
// name.
func Entries() []Entry {
	byName := map[string]*Entry{}
	sections := reflect.TypeFor[v1beta1.Controllers]()
	for i := range sections.NumField() {
		if name, _ := tags.JSONName(sections.Field(i)); strings.HasSuffix(name, "-controller") {
			byName[name] = &Entry{Name: name, Default: sections.Field(i).Tag.Get("baseline") != "off"}
		}
	}
	for _, d := range All() {
		e := byName[d.Name]
		e.Implemented, e.Default, e.ServiceAccount = true, !d.OffByDefault, d.ServiceAccount
		e.Gates, e.Required = d.Gates, d.Required
	}
	for _, c := range upstream {
		if e := byName[c.name]; e != nil {
			e.Alias = c.alias
		}
	}
	list := make([]Entry, 0, len(byName))
	for alias, name := range Names() {
		if e := byName[name]; e != nil && alias != name && alias != e.Alias {
			e.Names = append(e.Names, alias)
		}
	}
	for _, e := range byName {
		slices.Sort(e.Names)
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}
