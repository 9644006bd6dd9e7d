// SPDX-License-Identifier: Apache-2.0

// Package leader contends for the lease that keeps one of several managers
// active. The election is client-go's; around it, this package makes sure that
// the lease is renewed until the work under it has really ended, and is given
// up only then, so that a successor never overlaps.
package leader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// watchDogSlack is how long after the lease's duration a leader that does not
// renew counts as unhealthy; upstream's value.
const watchDogSlack = 20 * time.Second

// ErrHold marks an error after which the lease must not be released: work that
// did not stop still needs its protection.
var ErrHold = errors.New("the lease is kept until it expires")

// Identity is a new name for this process among the contenders: its host, so
// that people find it, and something random, so that a restart is another one.
func Identity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("leader election identity: %w", err)
	}
	return host + "_" + string(uuid.NewUUID()), nil
}

// Elector contends for one lease.
type Elector struct {
	// Health fails when this process leads and has not renewed for too long.
	Health *leaderelection.HealthzAdaptor

	lock   resourcelock.Interface
	cfg    v1beta1.LeaderElection
	logger klog.Logger
}

// New makes an elector. The configuration is the manager's own identity.
func New(le v1beta1.LeaderElection, cfg *rest.Config, identity string, events resourcelock.EventRecorder, logger klog.Logger) (*Elector, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.Timeout = max(time.Second, le.RenewDeadline.Duration/2)
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("leader election client: %w", err)
	}
	lock, err := resourcelock.New(le.ResourceLock, le.ResourceNamespace, le.ResourceName, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: identity, EventRecorder: events})
	if err != nil {
		return nil, fmt.Errorf("leader election lock: %w", err)
	}
	return &Elector{Health: leaderelection.NewLeaderHealthzAdaptor(watchDogSlack), lock: lock, cfg: le, logger: logger}, nil
}

// Run contends until the context ends. Each time the lease is won it calls lead,
// with a context that ends when the lease is lost or Run's context ends. The
// lease is renewed until lead has returned and then released. An error of lead
// ends Run; one that is ErrHold keeps the lease.
func (e *Elector) Run(ctx context.Context, lead func(context.Context) error) error {
	for ctx.Err() == nil {
		if err := e.term(ctx, lead); err != nil {
			return err
		}
	}
	return nil
}

// term contends once and leads once.
func (e *Elector) term(ctx context.Context, lead func(context.Context) error) error {
	holding, drop := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), e.logger))
	defer drop()
	won := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          e.lock,
		Name:          e.cfg.ResourceName,
		LeaseDuration: e.cfg.LeaseDuration.Duration,
		RenewDeadline: e.cfg.RenewDeadline.Duration,
		RetryPeriod:   e.cfg.RetryPeriod.Duration,
		WatchDog:      e.Health,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(term context.Context) { won <- term },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	e.Health.SetLeaderElection(elector)
	ended := make(chan struct{})
	go func() { defer close(ended); elector.Run(holding) }()

	select {
	case <-ctx.Done():
	case <-ended:
	case term := <-won:
		leading, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(term, func() {
			if ctx.Err() == nil {
				e.logger.Error(nil, "leaderelection lost, stopping all controllers")
			}
			stop()
		})()
		err = lead(leading)
	}
	drop()
	<-ended
	if !errors.Is(err, ErrHold) {
		e.release(context.WithoutCancel(ctx))
	}
	return err
}

// release gives the lease up when this process still holds it, so that a
// successor need not wait for its expiry.
func (e *Elector) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.RenewDeadline.Duration)
	defer cancel()
	record, _, err := e.lock.Get(ctx)
	if err != nil || record.HolderIdentity != e.lock.Identity() {
		return // an unreadable lease expires by itself
	}
	record.HolderIdentity, record.LeaseDurationSeconds = "", 1
	if err := e.lock.Update(ctx, *record); err != nil {
		e.logger.Info("The lease could not be released and will expire", "err", err)
		return
	}
	e.logger.Info("Released lease", "lock", e.lock.Describe())
}
