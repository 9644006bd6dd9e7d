// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"strings"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
)

// effect says what a change of a field does to the running program.
func effect(path string, f tags.Field) string {
	top, rest, _ := strings.Cut(path, ".")
	switch {
	case f.Inert() != "":
		return "nothing happens"
	case len(f.Readers()) > 0:
		return "the controllers that read it restart, on the caches they had"
	case f.Live():
		return "takes effect at once; nothing is replaced"
	case f.Resizes():
		return "the controller runs on with the new number of workers"
	case f.Identifies():
		return "all controllers restart with new clients, on the caches they had"
	}
	switch top {
	case "clientConnection", "informers":
		return "all controllers restart, on new caches"
	case "leaderElection":
		return "the term ends and the process contends anew"
	case "serving", "authentication", "authorization":
		return "a new listener opens before the old one is closed; controllers are not touched"
	case "logging":
		return "the log changes at once; nothing else does"
	case "tracing":
		return "holds for what begins afterwards; nothing else is touched"
	case "metrics":
		return "holds from the next scrape on; nothing is replaced"
	case "reload":
		return "holds from the next change on; nothing is replaced"
	case "cluster":
		return "the controllers that read a changed field restart, on the caches they had"
	case "featureGates":
		return "the controllers that read the gate restart"
	case "controllers":
		return controllerEffect(rest)
	}
	return "what uses it is replaced"
}

func controllerEffect(path string) string {
	_, field, inSection := strings.Cut(path, ".")
	switch {
	case path == "":
		return "only the controllers whose section differs notice"
	case path == "baseline":
		return `the controllers whose section does not say "enabled" start or stop`
	case !inSection:
		return "the controller restarts, on the caches it had; no other one notices"
	case field == "enabled":
		return "the controller starts or stops; no other one notices"
	}
	return "the controller restarts, on the caches it had; no other one notices"
}
