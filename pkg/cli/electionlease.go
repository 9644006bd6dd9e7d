// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/announce"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/event"
	"github.com/kube-live/kube-controller-manager/pkg/leader"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
)

// settle is how long a process that takes over on warm caches waits for what the
// last leader wrote last: a cold one would have listed it.
const settle = 500 * time.Millisecond

// contendForLease contends for a Lease, and tells about it on the Lease.
func (e *election) contendForLease(ctx context.Context, now *config.Loaded, options leader.Options, m *manager.Manager, lead func(context.Context) error) error {
	le := now.Config.LeaderElection
	factory, err := client.NewFactory(now.Config.ClientConnection)
	if err != nil {
		return err
	}
	options.Client = factory.Root("leader-election")
	sink, err := kubernetes.NewForConfig(options.Client)
	if err != nil {
		return fmt.Errorf("leader election events: %w", err)
	}
	recorder := event.NewRecorder(client.Program, sink.CoreV1(), clock.RealClock{}, e.logger)
	recorder.Start()
	defer func() {
		flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), le.RetryPeriod.Duration)
		defer cancel()
		recorder.Stop(flushing)
	}()
	options.Events = recorder
	elector, err := leader.New(options)
	if err != nil {
		return err
	}
	migration, err := leader.Migrations(le)
	if err != nil {
		return err
	}
	target := announce.Target{Client: sink, Namespace: le.ResourceNamespace, Lease: le.ResourceName, Events: recorder}
	if elector.Coordinated() {
		target.Candidate = e.identity
	}
	publishing, quiet := context.WithCancel(context.WithoutCancel(ctx))
	var published sync.WaitGroup
	published.Go(func() { e.announcer.Serve(publishing, target) })
	defer func() { quiet(); published.Wait() }()
	e.set(elector)
	lead = e.settled(lead)
	if migration != nil {
		lead = e.migrating(migration, options, elector, m, lead)
	}
	return elector.Run(ctx, lead)
}

// settled leads a moment later when the caches are warm.
func (e *election) settled(lead func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !e.inEffect().Config.LeaderElection.WarmStandby {
			return lead(ctx)
		}
		timer := time.NewTimer(settle)
		defer timer.Stop()
		select {
		case <-timer.C:
			return lead(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// migrating leads as a migration says: some controllers not at all, and some only
// while this process has the second lock, too. That one is tried when the first
// is had and the controller that others need tokens from has started. Who loses
// it stops those controllers and contends for it again.
func (e *election) migrating(migration *leader.Migration, options leader.Options, first *leader.Elector, m *manager.Manager, lead func(context.Context) error) func(context.Context) error {
	allow := func(second bool) error {
		return m.Scope(func(name string) (bool, string) { return migration.Allows(name, second) })
	}
	return func(ctx context.Context) error {
		defer func() { _ = m.Scope(nil) }() // nobody leads any more, so nothing can go wrong
		if err := allow(false); err != nil || !migration.Any(names()) {
			if err != nil {
				return held(err)
			}
			return lead(ctx)
		}
		options.Election.ResourceName, options.Coordinated = migration.LeaderName, false
		second, err := leader.New(options)
		if err != nil {
			return err
		}
		e.set(first, second)
		defer e.set(first)
		leading, end := context.WithCancel(ctx)
		defer end()
		var lost error
		var contending sync.WaitGroup
		contending.Go(func() {
			defer end()
			if e.tokensReady(leading, m) {
				lost = second.Run(leading, func(ctx context.Context) error {
					if err := allow(true); err != nil {
						return held(err)
					}
					<-ctx.Done()
					return held(allow(false))
				})
			}
		})
		err = lead(leading)
		contending.Wait()
		if err == nil {
			err = lost
		}
		return err
	}
}

// names are the canonical names of all controllers.
func names() (list []string) {
	for _, d := range catalog.All() {
		list = append(list, d.Name)
	}
	return list
}

// tokensReady waits until the controller that gives out tokens runs, or will not
// run. It is false when the context ends before that.
func (e *election) tokensReady(ctx context.Context, m *manager.Manager) bool {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	pending := func() bool {
		s := m.Snapshot()
		return !s.Leading || slices.ContainsFunc(s.Controllers, func(c manager.ControllerStatus) bool {
			return c.Name == leader.Tokens && (c.State == controller.Starting || c.State == controller.Syncing)
		})
	}
	for pending() {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}
