// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// Scope limits, until the next call, which controllers run while this process
// leads: those that allows lets, by their names; for others it says why not. Nil
// lets all. It returns when those that must not run any more have stopped. An
// error that is ErrStuck means that some have not.
func (m *Manager) Scope(allows func(name string) (bool, string)) error {
	return m.do(func() error {
		m.scope = allows
		if !m.leading {
			return nil
		}
		return m.rescope()
	})
}

// allows says whether the scope lets a controller run.
func (m *Manager) allows(s *slot) bool {
	if m.scope == nil {
		return true
	}
	ok, why := m.scope(s.d.Name)
	if !ok {
		s.is(controller.Waiting, why)
	}
	return ok
}

// rescope stops what the scope does not let run, and starts what waited for it.
func (m *Manager) rescope() error {
	var leavers []*slot
	for _, s := range m.slots {
		on, _ := s.d.Enabled(&m.current.Config.Controllers, m.current.Gates)
		switch {
		case !on:
		case !m.allows(s):
			leavers = append(leavers, s)
		case s.run == nil && s.resting == controller.Waiting:
			m.launchAnew(s)
		}
	}
	if stuck := m.stop(leavers, m.stopTimeout(), func(*slot) {}); len(stuck) > 0 {
		return fmt.Errorf("%w: %v", ErrStuck, stuck)
	}
	return nil
}
