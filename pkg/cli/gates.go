// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"sync/atomic"

	"k8s.io/client-go/features"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// clientGates gives client-go the values of the configuration's gates instead
// of those in environment variables. They are read when an informer or client
// is made, which the plan replaces when one of them flips.
type clientGates struct {
	known map[features.Feature]bool
	rest  features.Gates
	set   atomic.Pointer[feature.Set]
}

func newClientGates() *clientGates {
	g := &clientGates{known: map[features.Feature]bool{}, rest: features.FeatureGates()}
	for _, name := range feature.Client() {
		g.known[features.Feature(name)] = true
	}
	defaults := feature.Defaults()
	g.set.Store(&defaults)
	return g
}

// Enabled is part of features.Gates.
func (g *clientGates) Enabled(f features.Feature) bool {
	if !g.known[f] {
		return g.rest.Enabled(f)
	}
	return g.set.Load().Enabled(feature.Gate(f))
}

// Prepare is part of manager.Part. The values hold as soon as they are
// prepared, for the new clients are made next; discard returns to the old.
func (g *clientGates) Prepare(_, now *config.Loaded, _ plan.Plan) (commit, discard func(), err error) {
	before := g.set.Swap(&now.Gates)
	return nil, func() { g.set.Store(before) }, nil
}
