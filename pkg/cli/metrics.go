// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// metricsPart is the part of the manager that decides which metrics are served.
type metricsPart struct{ hub *metrics.Hub }

// Prepare is part of manager.Part. The manifest is read at every change of the
// configuration, for it may have changed as well.
func (m metricsPart) Prepare(_, now *config.Loaded, _ plan.Plan) (commit, discard func(), err error) {
	_, minor, _ := strings.Cut(feature.EmulationVersion, ".")
	number, err := strconv.Atoi(minor)
	if err != nil {
		return nil, nil, fmt.Errorf("version %s: %w", feature.EmulationVersion, err)
	}
	rules, err := metrics.NewRules(now.Config.Metrics, number)
	if err != nil {
		return nil, nil, err
	}
	return func() { m.hub.SetRules(rules) }, nil, nil
}
