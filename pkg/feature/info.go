// SPDX-License-Identifier: Apache-2.0

package feature

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/featuregate"
)

// Info is what is known about a gate without any setting.
type Info struct {
	Name Gate `json:"name"`
	// Default is the value when nothing sets the gate.
	Default bool `json:"default"`
	// Stage is Alpha, Beta, GA or Deprecated.
	Stage string `json:"stage"`
	// Locked gates accept their default only.
	Locked bool `json:"locked"`
	// Client gates belong to client-go and concern every controller.
	Client bool `json:"client,omitempty"`
	// DependsOn must be on when this gate is.
	DependsOn []Gate `json:"dependsOn,omitempty"`
}

// Describe tells about every known gate, sorted by name. The list is the caller's.
func Describe() []Info { return slices.Clone(described()) }

var described = sync.OnceValue(func() []Info {
	values, specs := Defaults().values, map[string]featuregate.FeatureSpec{}
	tables, _ := registryTables()
	for name, history := range tables {
		specs[string(name)] = current(history)
	}
	list := make([]Info, 0, len(known))
	byName := map[string]spec{}
	for _, g := range known {
		byName[string(g.name)] = g
	}
	for _, name := range Names() {
		g, s := byName[name], specs[name]
		list = append(list, Info{
			Name: g.name, Default: values[g.name], Stage: stageName(s), Locked: s.LockToDefault,
			Client: g.client, DependsOn: g.deps,
		})
	}
	return list
})

// current is the newest entry that holds at the emulated version.
func current(history featuregate.VersionedSpecs) featuregate.FeatureSpec {
	var now featuregate.FeatureSpec
	for _, s := range history {
		if s.Version.GreaterThan(version.MustParse(EmulationVersion)) {
			continue
		}
		if s.MinCompatibilityVersion != nil && s.MinCompatibilityVersion.GreaterThan(version.MustParse(MinCompatibilityVersion)) {
			continue
		}
		now = s
	}
	return now
}

func stageName(s featuregate.FeatureSpec) string {
	switch s.PreRelease {
	case featuregate.Alpha:
		return "Alpha"
	case featuregate.Beta:
		return "Beta"
	case featuregate.Deprecated:
		return "Deprecated"
	}
	return "GA"
}
