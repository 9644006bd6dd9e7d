// SPDX-License-Identifier: Apache-2.0

package feature

import (
	"maps"
	"strings"
	"testing"
)

// Expectations are upstream 1.37.2's documented behaviour.
func TestResolve(t *testing.T) {
	for _, tc := range []struct {
		name     string
		settings map[string]bool
		want     map[Gate]bool
		err      string
	}{
		{name: "defaults", want: map[Gate]bool{"PodDeletionCost": true, "CoordinatedLeaderElection": false, "DRAFractionalCapacityRange": false, "WatchListClient": true}},
		{name: "set", settings: map[string]bool{"PodDeletionCost": false}, want: map[Gate]bool{"PodDeletionCost": false}},
		{name: "unknown", settings: map[string]bool{"Nope": true}, err: "unrecognized feature gate: Nope"},
		{name: "locked", settings: map[string]bool{"VolumeAttributesClass": false}, err: "cannot set feature gate VolumeAttributesClass to false, feature is locked to true"},
		{name: "locked to its value", settings: map[string]bool{"VolumeAttributesClass": true}, want: map[Gate]bool{"VolumeAttributesClass": true}},
		{name: "all alpha lacks a beta", settings: map[string]bool{"AllAlpha": true}, err: "GenericWorkload"},
		{name: "all alpha and beta", settings: map[string]bool{"AllAlpha": true, "AllBeta": true}, want: map[Gate]bool{"WorkloadWithJob": true}},
		{name: "explicit wins over all", settings: map[string]bool{"AllBeta": false, "HPAScaleToZero": true}, want: map[Gate]bool{"HPAScaleToZero": true, "PodDeletionCost": false}},
		{name: "dependency off", settings: map[string]bool{"AtomicFIFO": false}, err: "is enabled, but depends on features that are disabled: [AtomicFIFO]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Resolve(tc.settings)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for g, want := range tc.want {
				if got := s.Enabled(g); got != want {
					t.Errorf("%s = %v, want %v", g, got, want)
				}
			}
		})
	}
}

// What is not asked for anew is what the registry would say.
func TestResolveAgreesWithTheRegistry(t *testing.T) {
	for _, settings := range []map[string]bool{nil, {"PodDeletionCost": false}, {"HPAScaleToZero": true, "PodDeletionCost": false}, {"AllBeta": false}} {
		all, err := table()
		if err != nil {
			t.Fatal(err)
		}
		registry := all.DeepCopy()
		if err := registry.SetFromMap(settings); err != nil {
			t.Fatal(err)
		}
		s, err := Resolve(settings)
		if err != nil {
			t.Fatal(err)
		}
		if want := values(registry); !maps.Equal(s.values, want) {
			t.Errorf("%v: got %v, want %v", settings, s.values, want)
		}
	}
}

func TestSetsAreIndependent(t *testing.T) {
	if _, err := Resolve(map[string]bool{"AllBeta": false}); err != nil {
		t.Fatal(err)
	}
	if !Defaults().Enabled(PodDeletionCost) {
		t.Error("a value of one set leaked into another")
	}
}

func TestChanged(t *testing.T) {
	old, now := Defaults(), Defaults().With(PodDeletionCost, false)
	got := Changed(old, now, []Gate{PodDeletionCost, AtomicFIFO})
	if len(got) != 1 || got[0] != PodDeletionCost {
		t.Errorf("changed %v, want PodDeletionCost", got)
	}
}

func TestUndeclaredGatePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("reading an undeclared gate must not go unnoticed")
		}
	}()
	Defaults().Restrict([]Gate{AtomicFIFO}).Enabled(PodDeletionCost)
}
