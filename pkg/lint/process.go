// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// ordered are all fields, sorted by path.
func (s subject) ordered() iter.Seq2[string, tags.Field] {
	return func(yield func(string, tags.Field) bool) {
		for _, path := range slices.Sorted(maps.Keys(s.fields)) {
			if !yield(path, s.fields[path]) {
				return
			}
		}
	}
}

func openPaths(s subject) (found []config.Problem) {
	for i, p := range s.Config.Authorization.AlwaysAllowPaths {
		if p == "*" || p == "/*" {
			found = append(found, problem(fmt.Sprintf("authorization.alwaysAllowPaths[%d]", i), p,
				"serves metrics, the configuration and profiles to everybody who can reach the port", "list single paths, such as /metrics"))
		}
	}
	return found
}

func halfDelegation(s subject) []config.Problem {
	who, may := s.Config.Authentication, s.Config.Authorization
	switch {
	case s.Config.Serving.Port == 0:
	case who.Kubeconfig != "" && may.Kubeconfig == "":
		return []config.Problem{problem("authentication.kubeconfig", who.Kubeconfig,
			"callers are identified, but nobody can say what they may see: only alwaysAllowPaths are served", "set authorization.kubeconfig too")}
	case may.Kubeconfig != "" && who.Kubeconfig == "" && who.ClientCAFile == "":
		return []config.Problem{problem("authorization.kubeconfig", may.Kubeconfig,
			"no caller can be identified, so everybody is anonymous", "set authentication.kubeconfig or clientCAFile too")}
	}
	return nil
}

func nothingRuns(s subject) []config.Problem {
	for _, c := range s.controllers {
		if c.Enabled || s.switchOf(c.Name) == "true" {
			return nil
		}
	}
	return []config.Problem{problem("controllers.baseline", s.Config.Controllers.Baseline,
		"no controller runs", "enable some, or use the baseline Default")}
}

func twoSwitches(s subject) []config.Problem {
	const name = "garbage-collector-controller"
	old, path := s.text("enable-garbage-collector")
	if path == "" || old != "false" || s.switchOf(name) != "true" {
		return nil
	}
	return []config.Problem{problem(path, old, "keeps off what "+enabled(name)+" turns on", "remove it")}
}

func nodeNetworks(s subject) []config.Problem {
	allocate, path := s.text("allocate-node-cidrs")
	if path == "" || allocate == "true" || s.switchOf("node-ipam-controller") != "true" {
		return nil
	}
	return []config.Problem{problem(enabled("node-ipam-controller"), "true", "the controller does not run without "+path, "set "+path+": true")}
}
