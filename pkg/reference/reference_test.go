// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/reference"
)

func TestEveryFieldIsDescribed(t *testing.T) {
	reference.Tree().Walk(func(n *reference.Node) {
		switch {
		case n.Doc == "":
			t.Errorf("%s has no comment", n.Path)
		case n.Path != "" && n.Effect == "":
			t.Errorf("%s: what a change does is not known", n.Path)
		}
		for _, r := range append(n.Rules, n.ItemRules...) {
			if strings.HasPrefix(r.String(), "breaks the rule") {
				t.Errorf("%s: the rule %s has no words", n.Path, r.Tag)
			}
		}
	})
}

func TestCommentedDefaultsAreTheDefaults(t *testing.T) {
	want, err := config.Load(config.Input{})
	if err != nil {
		t.Fatal(err)
	}
	text := reference.Tree().Defaults("")
	got, err := config.Load(config.Input{File: "d.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	// Through YAML, where an empty map and none are one.
	if diff := cmp.Diff(marshal(t, want), marshal(t, got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for i, line := range strings.Split(text, "\n") {
		if len(line) > 80 && strings.Contains(line, "# ") {
			t.Errorf("line %d is long: %s", i+1, line)
		}
	}
}

func marshal(t *testing.T, l *config.Loaded) string {
	t.Helper()
	if len(l.Config.FeatureGates) == 0 {
		l.Config.FeatureGates = nil
	}
	out, err := yaml.Marshal(l.Config)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestDefaultsOfOneSection(t *testing.T) {
	got := reference.Tree().Defaults("controllers.replicaset-controller")
	var parsed map[string]map[string]map[string]any
	if err := yaml.Unmarshal([]byte(got), &parsed); err != nil {
		t.Fatalf("%v in:\n%s", err, got)
	}
	if w := parsed["controllers"]["replicaset-controller"]["workers"]; len(parsed) != 1 || len(parsed["controllers"]) != 1 || w != float64(5) {
		t.Errorf("want the section alone:\n%s", got)
	}
}

func TestFind(t *testing.T) {
	root := reference.Tree()
	for path, want := range map[string]string{
		"":                             "",
		"leaderElection.leaseDuration": "leaderElection.leaseDuration",
		"controllers.replicaset-controller.workers":                    "controllers.replicaset-controller.workers",
		"featureGates.PodDeletionCost":                                 "featureGates",
		"controllers.garbage-collector-controller.ignoredResources[1]": "controllers.garbage-collector-controller.ignoredResources",
		"controllers.replicaset-controller.nope":                       "!controllers.replicaset-controller",
		"nope.leaseDuration":                                           "!",
	} {
		found, nearest := root.Find(path)
		got := ""
		if found == nil {
			got = "!" + nearest.Path
		} else {
			got = found.Path
		}
		if got != want {
			t.Errorf("%q: found %q, want %q", path, got, want)
		}
	}
}

func TestNodeKnowsItsTags(t *testing.T) {
	n, _ := reference.Tree().Find("leaderElection.leaseDuration")
	type facts struct {
		Kind    reference.Kind
		Default string
		Rules   []reference.Constraint
		Flags   []string
	}
	want := facts{reference.Duration, "15s", []reference.Constraint{{Tag: "gt", Param: "1s"}}, []string{"leader-elect-lease-duration"}}
	if got := (facts{n.Kind, n.Default, n.Rules, n.Flags}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
