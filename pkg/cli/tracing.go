// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/trace"
)

// tracing is the part of the manager that says where traces go.
type tracing struct{ tracer *trace.Tracer }

// Prepare is part of manager.Part.
func (t tracing) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Tracing) {
		return nil, nil, nil
	}
	next, err := trace.Open(now.Config.Tracing)
	if err != nil {
		return nil, nil, err
	}
	return func() { t.tracer.Switch(next) }, func() { t.tracer.Drop(next) }, nil
}
