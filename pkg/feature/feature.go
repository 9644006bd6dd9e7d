// SPDX-License-Identifier: Apache-2.0

// Package feature knows upstream's feature gates and holds their values. A Set
// is a value: it never changes after it was made, so a controller that was
// given one cannot see a gate flip under its feet. A new configuration makes a
// new Set, and the controllers that read a gate which differs are restarted.
package feature

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/featuregate"
	"k8s.io/klog/v2"
)

// Gate is the name of a feature gate.
type Gate string

// The gates that controllers of this program read.
const (
	APIServerIdentity                           Gate = "APIServerIdentity"
	AtomicFIFO                                  Gate = "AtomicFIFO"
	ClusterTrustBundle                          Gate = "ClusterTrustBundle"
	CoordinatedLeaderElection                   Gate = "CoordinatedLeaderElection" // read by the election
	DeploymentReplicaSetTerminatingReplicas     Gate = "DeploymentReplicaSetTerminatingReplicas"
	GenericWorkload                             Gate = "GenericWorkload"
	HPAGeneration                               Gate = "HPAGeneration"
	HPAScaleToZero                              Gate = "HPAScaleToZero"
	InformerResourceVersion                     Gate = "InformerResourceVersion"
	MaxUnavailableStatefulSet                   Gate = "MaxUnavailableStatefulSet"
	MultiCIDRServiceAllocator                   Gate = "MultiCIDRServiceAllocator"
	MutableSchedulingDirectivesForSuspendedJobs Gate = "MutableSchedulingDirectivesForSuspendedJobs"
	PodCertificateRequest                       Gate = "PodCertificateRequest"
	PodDeletionCost                             Gate = "PodDeletionCost"
	PodLevelResources                           Gate = "PodLevelResources"
	PodLevelResourcesFixKubeletQOSClass         Gate = "PodLevelResourcesFixKubeletQOSClass"
	PreferSameTrafficDistribution               Gate = "PreferSameTrafficDistribution"
	StaleControllerConsistencyDaemonSet         Gate = "StaleControllerConsistencyDaemonSet"
	StaleControllerConsistencyHPA               Gate = "StaleControllerConsistencyHPA"
	StaleControllerConsistencyJob               Gate = "StaleControllerConsistencyJob"
	StaleControllerConsistencyReplicaSet        Gate = "StaleControllerConsistencyReplicaSet"
	StaleControllerConsistencyStatefulSet       Gate = "StaleControllerConsistencyStatefulSet"
	StatefulSetRecreateStrategy                 Gate = "StatefulSetRecreateStrategy"
	StatefulSetSemanticRevisionComparison       Gate = "StatefulSetSemanticRevisionComparison"
	StorageVersionAPI                           Gate = "StorageVersionAPI"
	StorageVersionMigrator                      Gate = "StorageVersionMigrator"
	TaintTolerationComparisonOperators          Gate = "TaintTolerationComparisonOperators"
	WorkloadWithJob                             Gate = "WorkloadWithJob"
)

// EmulationVersion is the version of Kubernetes whose gates are known.
const EmulationVersion = "1.37"

// MinCompatibilityVersion is one minor below, as upstream's default.
const MinCompatibilityVersion = "1.36"

type spec struct {
	name    Gate
	history string
	client  bool
	deps    []Gate
}

// Set is an immutable assignment of values to gates.
type Set struct {
	values map[Gate]bool
	// only is nil for the whole set, or names the gates its owner declared.
	only []Gate
}

// Resolve gives every known gate its value: the one set, or its default. The
// error names every unknown, locked or inconsistent setting. The keys AllAlpha
// and AllBeta set all gates of that stage that are not set themselves.
func Resolve(settings map[string]bool) (Set, error) {
	all, err := table()
	if err != nil {
		return Set{}, err
	}
	registry := all.DeepCopy()
	// The interface has only the setter that logs at a level of its own.
	setter := registry.(interface {
		SetFromMapWithLogger(klog.Logger, map[string]bool) error
	})
	if err := setter.SetFromMapWithLogger(klog.NewKlogr().V(4), settings); err != nil {
		return Set{}, err
	}
	s := Set{values: maps.Clone(defaults())}
	for name := range settings {
		if isGroup(name) {
			return Set{values: values(registry)}, nil
		}
		s.values[Gate(name)] = registry.Enabled(featuregate.Feature(name))
	}
	return s, nil
}

// values asks for all gates. The registry copies the list of gates that were ever
// asked for with each new one, so that this takes milliseconds.
func values(registry featuregate.FeatureGate) map[Gate]bool {
	list := make(map[Gate]bool, len(known))
	for _, g := range known {
		list[g.name] = registry.Enabled(featuregate.Feature(g.name))
	}
	return list
}

// defaults are the values of gates that nobody sets. They are not changed.
var defaults = sync.OnceValue(func() map[Gate]bool {
	all, err := table()
	if err != nil {
		return nil // Resolve returns the error
	}
	return values(all)
})

// isGroup says whether a name stands for the gates of a stage.
func isGroup(name string) bool { return name == "AllAlpha" || name == "AllBeta" }

// table has all gates, and nothing is ever set in it. Making it costs more than all
// else that a configuration needs, so there is one.
var table = sync.OnceValues(func() (featuregate.MutableVersionedFeatureGate, error) {
	registry := featuregate.NewVersionedFeatureGateWithMinCompatibility(
		version.MustParse(EmulationVersion), version.MustParse(MinCompatibilityVersion))
	specs, deps := registryTables()
	if err := registry.AddVersioned(specs); err != nil {
		return nil, fmt.Errorf("feature gate table: %w", err)
	}
	if err := registry.AddDependencies(deps); err != nil {
		return nil, fmt.Errorf("feature gate dependencies: %w", err)
	}
	return registry, nil
})

// Defaults is the set in which nothing was set.
func Defaults() Set {
	s, err := Resolve(nil)
	if err != nil {
		panic(err) // the table contradicts itself
	}
	return s
}

// Enabled is the value of a gate. It panics on a gate that does not exist, or
// that the owner of a restricted set did not declare: the plan would not
// restart that owner when the gate flips.
func (s Set) Enabled(g Gate) bool {
	if s.only != nil && !slices.Contains(s.only, g) {
		panic(fmt.Sprintf("feature gate %s is read but not declared in the descriptor's Gates", g))
	}
	on, ok := s.values[g]
	if !ok {
		panic(fmt.Sprintf("unknown feature gate %s", g))
	}
	return on
}

// Restrict is the same set for an owner that declared these gates.
func (s Set) Restrict(gates []Gate) Set {
	return Set{values: s.values, only: append([]Gate{}, gates...)}
}

// With is a copy in which one gate has another value, for tests.
func (s Set) With(g Gate, on bool) Set {
	c := Set{values: maps.Clone(s.values), only: s.only}
	c.values[g] = on
	return c
}

// Known says whether a gate exists.
func Known(name string) bool {
	return isGroup(name) ||
		slices.ContainsFunc(known, func(g spec) bool { return string(g.name) == name })
}

// Names are all known gates, sorted.
func Names() []string {
	names := make([]string, 0, len(known))
	for _, g := range known {
		names = append(names, string(g.name))
	}
	slices.Sort(names)
	return names
}

// Client are the gates of client-go, which shape every informer and client: a
// flip of one concerns all controllers.
func Client() []Gate {
	var gates []Gate
	for _, g := range known {
		if g.client {
			gates = append(gates, g.name)
		}
	}
	return gates
}

// Changed are those of the gates whose value differs between the sets.
func Changed(old, new Set, gates []Gate) []Gate {
	var changed []Gate
	for _, g := range gates {
		if old.values[g] != new.values[g] {
			changed = append(changed, g)
		}
	}
	return changed
}

func registryTables() (map[featuregate.Feature]featuregate.VersionedSpecs, map[featuregate.Feature][]featuregate.Feature) {
	specs := make(map[featuregate.Feature]featuregate.VersionedSpecs, len(known))
	deps := map[featuregate.Feature][]featuregate.Feature{}
	for _, g := range known {
		var history featuregate.VersionedSpecs
		for _, entry := range strings.Fields(g.history) {
			history = append(history, parseEntry(entry))
		}
		specs[featuregate.Feature(g.name)] = history
		for _, d := range g.deps {
			deps[featuregate.Feature(g.name)] = append(deps[featuregate.Feature(g.name)], featuregate.Feature(d))
		}
	}
	return specs, deps
}

// parseEntry reads one history entry of the table, e.g. "1.37:GA+L".
func parseEntry(entry string) featuregate.FeatureSpec {
	entry, compat, _ := strings.Cut(entry, "(mc")
	since, stage, _ := strings.Cut(entry, ":")
	s := featuregate.FeatureSpec{Version: version.MustParse(since)}
	stage, s.LockToDefault = strings.CutSuffix(stage, "L")
	s.Default = strings.HasSuffix(stage, "+")
	switch stage[:len(stage)-1] {
	case "A":
		s.PreRelease = featuregate.Alpha
	case "B":
		s.PreRelease = featuregate.Beta
	case "GA":
		s.PreRelease = featuregate.GA
	case "Dep":
		s.PreRelease = featuregate.Deprecated
	default:
		panic("feature gate table: bad history entry " + entry)
	}
	if compat != "" {
		s.MinCompatibilityVersion = version.MustParse(strings.TrimSuffix(compat, ")"))
	}
	return s
}
