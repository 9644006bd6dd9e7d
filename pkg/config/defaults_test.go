// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"reflect"
	"strings"
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

// golden has the leaves of the golden file by path.
func golden(t *testing.T) func(path string) bool {
	t.Helper()
	data, err := os.ReadFile("testdata/defaults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return func(path string) bool {
		var at any = tree
		for name := range strings.SplitSeq(path, ".") {
			m, ok := at.(map[string]any)
			if !ok {
				return false
			}
			if at, ok = m[name]; !ok {
				return false
			}
		}
		return at != nil
	}
}

// A field that does not say everything about itself would be missing in the
// help, the documents or the checks that are made from the tags.
func TestEveryFieldSaysEverythingAboutItself(t *testing.T) {
	inGolden := golden(t)
	seen := map[string]bool{}
	tags.Walk(&v1beta1.KubeControllerManagerConfiguration{}, func(f tags.Field) {
		seen[f.Path] = true
		if strings.HasSuffix(f.Path, ".enabled") && f.Tag.Get("json") == "enabled,omitempty" {
			return // absent is a value of its own
		}
		if f.Tag.Get("validate") == "" {
			t.Errorf("%s has no rule; write validate:\"-\" when its type admits no wrong value", f.Path)
		}
		if strings.HasSuffix(f.Tag.Get("json"), ",omitempty") && f.Value.Kind() == reflect.Map {
			return // its keys are not the configuration's
		}
		if _, ok := f.Default(); !ok {
			t.Errorf("%s has no default", f.Path)
		}
		if !inGolden(f.Path) {
			t.Errorf("%s is not in testdata/defaults.yaml", f.Path)
		}
		if workers := strings.HasSuffix(f.Path, ".workers"); workers != f.Resizes() {
			t.Errorf("%s: change:\"resize\" is for worker counts, which are named workers", f.Path)
		}
		if f.Tag.Get("path") != "" && f.Value.Kind() != reflect.String {
			t.Errorf("%s: only a text can be a file name", f.Path)
		}
	})
	if len(seen) < 200 {
		t.Errorf("only %d fields were found", len(seen))
	}
}

// Those who read a field outside their sections have sections.
func TestReadersAreControllers(t *testing.T) {
	c := &v1beta1.KubeControllerManagerConfiguration{}
	known := map[string]bool{}
	for name := range sections(&c.Controllers) {
		known[name] = true
	}
	tags.Walk(c, func(f tags.Field) {
		for _, r := range f.Readers() {
			if !known[r] {
				t.Errorf("%s: there is no %s", f.Path, r)
			}
		}
	})
}
