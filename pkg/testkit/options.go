// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options choose what a plane has. The zero value is etcd and an API server.
type Options struct {
	// Nodes is the number of simulated nodes, node-0 and up, spread over the
	// zones zone-a, zone-b and zone-c. Any node brings kwok and the scheduler.
	Nodes int
	// NodePodCapacity is the number of pods that fit on a node; 110 without it.
	NodePodCapacity int
	// Scheduler runs kube-scheduler even without nodes.
	Scheduler bool

	// Dir keeps keys, kubeconfigs and logs; what a former plane left there is
	// replaced, what is not a plane's stays. Without it the plane has a temporary
	// folder that goes away with it.
	Dir string
	// Log receives a line for each step of the start. Components write to files
	// below Dir.
	Log io.Writer

	// DisableAdmission switches off admission plugins of the API server, for
	// example ServiceAccount: no controller manager runs in a plane, so nobody
	// gives a new namespace the account that this plugin asks for.
	DisableAdmission []string
	// FeatureGates go to the API server and the scheduler.
	FeatureGates map[string]bool
	// RuntimeConfig switches API groups on and off: "api/alpha": "true".
	RuntimeConfig map[string]string
	// APIServerArgs are added last, so they win.
	APIServerArgs []string
}

func (o Options) scheduler() bool { return o.Scheduler || o.Nodes > 0 }

// programs names what must be installed for these options.
func (o Options) programs() []string {
	names := []string{Etcd, APIServer}
	if o.scheduler() {
		names = append(names, Scheduler)
	}
	if o.Nodes > 0 {
		names = append(names, Kwok)
	}
	return names
}

// pairs writes a map in the form of a component's flags, in a stable order.
func pairs[V any](m map[string]V) string {
	out := make([]string, 0, len(m))
	for k, v := range m {
		out = append(out, fmt.Sprintf("%s=%v", k, v))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}
