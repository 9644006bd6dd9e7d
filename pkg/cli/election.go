// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/event"
	"github.com/kube-live/kube-controller-manager/pkg/leader"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/server"
)

// election is the part of the manager that contends for the lease. A change of
// its settings ends the term and contends anew; the process and the caches of
// configuration stay.
type election struct {
	identity string
	logger   klog.Logger

	mu      sync.Mutex
	now     *config.Loaded
	changed chan struct{} // closed at the next change
	elector *leader.Elector
}

func newElection(logger klog.Logger) (*election, error) {
	identity, err := leader.Identity()
	if err != nil {
		return nil, err
	}
	return &election{identity: identity, logger: logger, changed: make(chan struct{})}, nil
}

// Prepare is part of manager.Part.
func (e *election) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	moved := old != nil && (old.Config.ClientConnection.Kubeconfig != now.Config.ClientConnection.Kubeconfig ||
		old.Config.ClientConnection.Master != now.Config.ClientConnection.Master)
	if old != nil && !p.Replaces(plan.Election) && !moved {
		return nil, nil, nil
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.now = now
		close(e.changed)
		e.changed = make(chan struct{})
	}, nil, nil
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

func (e *election) contend(ctx context.Context, now *config.Loaded, m *manager.Manager) error {
	lead := func(ctx context.Context) error {
		err := m.Lead(ctx)
		if errors.Is(err, manager.ErrStuck) {
			return fmt.Errorf("%w: %w", leader.ErrHold, err)
		}
		return err
	}
	if !now.Config.LeaderElection.LeaderElect {
		e.set(nil)
		return lead(ctx)
	}
	factory, err := client.NewFactory(now.Config.ClientConnection)
	if err != nil {
		return err
	}
	cfg := factory.Root("leader-election")
	sink, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("leader election events: %w", err)
	}
	recorder := event.NewRecorder(client.Program, sink.CoreV1(), clock.RealClock{}, e.logger)
	recorder.Start()
	defer func() {
		flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), now.Config.LeaderElection.RetryPeriod.Duration)
		defer cancel()
		recorder.Stop(flushing)
	}()
	elector, err := leader.New(now.Config.LeaderElection, cfg, e.identity, recorder, e.logger)
	if err != nil {
		return err
	}
	e.set(elector)
	return elector.Run(ctx, lead)
}

func (e *election) set(elector *leader.Elector) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.elector = elector
}

// checks is the health of the lease: nothing without an election.
func (e *election) checks() []server.Check {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.elector == nil {
		return nil
	}
	return []server.Check{{Name: "leaderElection", Err: e.elector.Health.Check(nil)}}
}
