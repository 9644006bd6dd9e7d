// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// keepWarm fills the caches of all controllers that are enabled, when the
// configuration in effect wants a warm standby. They are kept while this process
// leads, too: then it is warm when it has to stand by again.
func (m *Manager) keepWarm() {
	le := m.current.Config.LeaderElection
	if !le.LeaderElect || !le.WarmStandby {
		m.standby.Cool()
		return
	}
	// Instances that never run: only they know what they would watch.
	list, err := m.build(m.current, m.conn, plan.Compute(m.opts.Catalog, nil, setup(m.current)))
	if err != nil {
		m.opts.Logger.Error(err, "The standby stays cold")
		return
	}
	var instances []*controller.Instance
	for _, b := range list {
		if b.instance != nil {
			instances = append(instances, b.instance)
		}
	}
	m.standby.Keep(m.conn.Pool, instances, m.opts.Clock, m.opts.Logger.WithName("standby"))
}
