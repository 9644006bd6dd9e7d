// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/announce"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/leader"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/server"
)

// election is the part of the manager that contends for the lease. A change of
// its settings ends the term and contends anew; the process and the caches of
// configuration stay.
type election struct {
	identity  string
	logger    klog.Logger
	announcer *announce.Announcer

	mu  sync.Mutex
	now *config.Loaded
	// effect is the configuration in effect; what it changes needs no contention.
	effect   *config.Loaded
	changed  chan struct{} // closed at the next change
	electors []*leader.Elector
}

func newElection(logger klog.Logger, registry metrics.KubeRegistry) (*election, error) {
	identity, err := leader.Identity()
	if err != nil {
		return nil, err
	}
	return &election{identity: identity, logger: logger, changed: make(chan struct{}),
		announcer: announce.New(announce.Options{Identity: identity, Registry: registry, Logger: logger})}, nil
}

// Prepare is part of manager.Part.
func (e *election) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	contend := old == nil || p.Replaces(plan.Election) || moved(old, now)
	if contend {
		if err := leader.Check(now.Config.LeaderElection); err != nil {
			return nil, nil, fmt.Errorf("leaderElection: %w", err)
		}
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.effect = now
		if contend {
			e.now = now
			close(e.changed)
			e.changed = make(chan struct{})
		}
	}, nil, nil
}

// moved says whether the lock is to be found elsewhere.
func moved(old, now *config.Loaded) bool {
	a, b := old.Config.ClientConnection, now.Config.ClientConnection
	return a.Kubeconfig != b.Kubeconfig || a.Master != b.Master
}

func coordinated(c *config.Loaded) bool {
	return c.Gates.Enabled(feature.CoordinatedLeaderElection) && c.Config.LeaderElection.ResourceLock != v1beta1.LockFile
}

// announce is for manager.Options.Announce.
func (e *election) announce(a manager.Attempt) {
	effect := ""
	if c := e.inEffect(); c != nil {
		effect = c.Hash
	}
	message := a.Reason
	if a.Outcome == manager.Applied {
		message = a.Plan.Summary()
	}
	e.announcer.Announce(announce.Verdict{Generation: a.Generation, Hash: a.Hash, Effect: effect, Outcome: announce.Outcome(a.Outcome), Message: message})
}

func (e *election) inEffect() *config.Loaded {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.effect
}

func (e *election) current() (*config.Loaded, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now, e.changed
}

// run contends and leads until the context ends.
func (e *election) run(ctx context.Context, m *manager.Manager) error {
	for ctx.Err() == nil {
		now, changed := e.current()
		term, end := context.WithCancel(ctx)
		go func() {
			select {
			case <-changed:
			case <-term.Done():
			}
			end()
		}()
		err := e.contend(term, now, m)
		end()
		if err != nil {
			return err
		}
	}
	return nil
}

// contend contends and leads as one configuration says, until the context ends.
func (e *election) contend(ctx context.Context, now *config.Loaded, m *manager.Manager) error {
	lead := func(ctx context.Context) error {
		e.announcer.Lead(true)
		defer e.announcer.Lead(false)
		return held(m.Lead(ctx))
	}
	defer e.set()
	le := now.Config.LeaderElection
	options := leader.Options{Election: le, Identity: e.identity, Logger: e.logger, Coordinated: coordinated(now)}
	switch {
	case !le.LeaderElect:
		return lead(ctx)
	case le.ResourceLock == v1beta1.LockFile:
		elector, err := leader.New(options)
		if err != nil {
			return err
		}
		e.set(elector)
		return elector.Run(ctx, lead)
	}
	return e.contendForLease(ctx, now, options, m, lead)
}

// held marks the end of a term that must not release its lock.
func held(err error) error {
	if errors.Is(err, manager.ErrStuck) {
		return fmt.Errorf("%w: %w", leader.ErrHold, err)
	}
	return err
}

// set notes who contends at present.
func (e *election) set(electors ...*leader.Elector) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.electors = electors
}

func (e *election) contenders() []*leader.Elector {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.electors
}

// checks is the health of the locks: nothing without an election.
func (e *election) checks() (checks []server.Check) {
	for i, elector := range e.contenders() {
		if i == 0 {
			checks = append(checks, server.Check{Name: "leaderElection", Err: elector.Health.Check(nil)})
		} else { // two locks have one check, as upstream
			checks[0].Err = errors.Join(checks[0].Err, elector.Health.Check(nil))
		}
		if elector.Coordinated() {
			checks = append(checks, server.Check{Name: "informer-sync", Err: elector.InformerSync()})
		}
	}
	return checks
}

// holder is the identity that leads, as far as this process knows, or "".
func (e *election) holder() string {
	for _, elector := range e.contenders() {
		return elector.Holder()
	}
	return ""
}
