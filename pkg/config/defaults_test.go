// SPDX-License-Identifier: Apache-2.0

package config

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// The golden file is the whole configuration as it is when nothing is set; a
// change of a default shows in it.
func TestDefaultsAreGoldenAndValid(t *testing.T) {
	l, err := Load(Input{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(l.Config)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/defaults.yaml", out)
	again, err := Load(Input{File: "defaults.yaml", Data: out})
	if err != nil {
		t.Fatalf("the defaults, written to a file, do not load: %v", err)
	}
	twice, err := yaml.Marshal(again.Config)
	if err != nil {
		t.Fatal(err)
	}
	if string(twice) != string(out) {
		t.Errorf("a round trip changes the defaults:\n%s", twice)
	}
}

func TestEveryFieldHasADefault(t *testing.T) {
	tags.Walk(&v1beta1.KubeControllerManagerConfiguration{}, func(f tags.Field) {
		if _, ok := f.Default(); !ok && f.Tag.Get("json") != "enabled,omitempty" && f.Path != "featureGates" {
			t.Errorf("%s has no default", f.Path)
		}
	})
}
