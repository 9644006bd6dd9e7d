// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/logging"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// logPart is the part of the manager that sets up the log.
type logPart struct{ log *logging.Log }

// newLog is the log of the process. It belongs to it from now on.
func newLog() *logging.Log {
	l := logging.New(os.Stdout, os.Stderr)
	l.Install()
	return l
}

// Prepare is part of manager.Part.
func (l logPart) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Logging) {
		return nil, nil, nil
	}
	return func() { l.log.Set(now.Config.Logging) }, nil, nil
}
