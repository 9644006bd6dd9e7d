// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
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

// ErrHold marks an error after which the lock must not be released: work that
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

// Options of an Elector.
type Options struct {
	// Election has the kind and name of the lock, and the times.
	Election v1beta1.LeaderElection
	// Client is the manager's own identity; a lock of the kind file does not use it.
	Client *rest.Config
	// Identity of this process; see the function.
	Identity string
	// Events gets who became leader and who stopped; nil: nobody.
	Events resourcelock.EventRecorder
	Logger klog.Logger
	// Coordinated leaves the choice of the leader to the control plane; this
	// process is a candidate. Only a Lease can be coordinated.
	Coordinated bool
}

// Elector contends for one lock.
type Elector struct {
	// Health fails when this process leads and has not renewed for too long.
	Health *leaderelection.HealthzAdaptor

	opts      Options
	lock      resourcelock.Interface
	watcher   kubernetes.Interface // nil unless releases are to be noticed
	candidate *candidate           // nil unless coordinated
	holder    atomic.Value         // string, the last one seen
}

// New makes an elector. Errors of a file lock say that its file cannot be used.
func New(opts Options) (*Elector, error) {
	e := &Elector{Health: leaderelection.NewLeaderHealthzAdaptor(watchDogSlack), opts: opts}
	le := &e.opts.Election
	e.holder.Store("")
	if le.ResourceLock == v1beta1.LockFile {
		lock, err := NewFileLock(le.LockFile, opts.Identity, le.RetryPeriod.Duration, opts.Logger)
		if err != nil {
			return nil, err
		}
		e.lock = lock
		// The kernel tells at once who has it, so there is nothing to wait for.
		le.RetryPeriod.Duration = min(filePeriod, le.RetryPeriod.Duration)
		return e, nil
	}
	cfg := rest.CopyConfig(opts.Client)
	cfg.Timeout = max(time.Second, le.RenewDeadline.Duration/2)
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("leader election client: %w", err)
	}
	// Not limited in time, for watches.
	endless, err := kubernetes.NewForConfig(opts.Client)
	if err != nil {
		return nil, fmt.Errorf("leader election client: %w", err)
	}
	e.lock, err = resourcelock.New(le.ResourceLock, le.ResourceNamespace, le.ResourceName, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: opts.Identity, EventRecorder: opts.Events})
	if err != nil {
		return nil, fmt.Errorf("leader election lock: %w", err)
	}
	if opts.Coordinated {
		e.candidate = newCandidate(endless, *le, opts.Identity)
	}
	e.watcher = endless
	return e, nil
}

// Check is nil when a configuration's lock could be used: its file, and the file
// about migration. It locks nothing for longer than a moment and sends nothing.
func Check(le v1beta1.LeaderElection) error {
	if !le.LeaderElect {
		return nil
	}
	if le.ResourceLock == v1beta1.LockFile {
		_, err := NewFileLock(le.LockFile, "check", 0, klog.Logger{})
		return err
	}
	_, err := Migrations(le)
	return err
}

// Holder is the identity that had the lock when this process last looked, or "".
func (e *Elector) Holder() string { return e.holder.Load().(string) }

// InformerSync fails while the candidate's own watch is not complete. It is nil
// when there is no candidate.
func (e *Elector) InformerSync() error {
	if e.candidate == nil {
		return nil
	}
	return e.candidate.health()
}

// Coordinated says whether the control plane chooses the leader.
func (e *Elector) Coordinated() bool { return e.candidate != nil }

// Run contends until the context ends. Each time the lock is won it calls lead,
// with a context that ends when the lock is lost or Run's context ends. The
// lock is renewed until lead has returned and then released. An error of lead
// ends Run; one that is ErrHold keeps the lock.
func (e *Elector) Run(ctx context.Context, lead func(context.Context) error) error {
	if e.candidate != nil {
		defer e.candidate.start(klog.NewContext(ctx, e.opts.Logger))()
	}
	for ctx.Err() == nil {
		if err := e.term(ctx, lead); err != nil {
			return err
		}
	}
	return nil
}

// term contends once and leads once.
func (e *Elector) term(ctx context.Context, lead func(context.Context) error) error {
	t, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer t.drop()
	if e.watcher != nil {
		defer t.follow(e.watcher)()
	}
	select {
	case <-ctx.Done():
	case <-t.ended:
	case held := <-t.won:
		leading, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(held, func() {
			if ctx.Err() == nil {
				e.opts.Logger.Error(nil, "leaderelection lost, stopping all controllers", "lock", e.lock.Describe(), "why", t.why())
			}
			stop()
		})()
		err = lead(leading)
	}
	t.drop()
	<-t.ended
	if !errors.Is(err, ErrHold) {
		e.release(context.WithoutCancel(ctx))
	}
	return err
}

// begin starts client-go's elector.
func (e *Elector) begin(ctx context.Context) (*term, error) {
	mute := &mute{}
	holding, drop := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), mute.logger(e.opts.Logger)))
	t := &term{elector: e, won: make(chan context.Context, 1), ended: make(chan struct{})}
	t.drop = func() { mute.set(); drop() }
	le := e.opts.Election
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          &observer{Interface: e.lock, term: t},
		Name:          le.ResourceName,
		LeaseDuration: le.LeaseDuration.Duration,
		RenewDeadline: le.RenewDeadline.Duration,
		RetryPeriod:   le.RetryPeriod.Duration,
		WatchDog:      e.Health,
		Coordinated:   e.candidate != nil,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(held context.Context) { t.won <- held },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		drop()
		return nil, fmt.Errorf("leader election: %w", err)
	}
	e.Health.SetLeaderElection(elector)
	go func() { defer close(t.ended); elector.Run(holding) }()
	return t, nil
}

// release gives the lock up when this process still holds it, so that a
// successor need not wait for its expiry.
func (e *Elector) release(ctx context.Context) {
	if file, ok := e.lock.(*FileLock); ok {
		defer file.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, e.opts.Election.RenewDeadline.Duration)
	defer cancel()
	for {
		record, _, err := e.lock.Get(ctx)
		if err != nil || record.HolderIdentity != e.lock.Identity() {
			return // an unreadable lease expires by itself
		}
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		err = e.lock.Update(ctx, *record)
		if conflict(err) {
			continue // somebody wrote an annotation meanwhile
		}
		if err != nil {
			e.opts.Logger.Info("The lease could not be released and will expire", "err", err)
			return
		}
		e.holder.Store("")
		e.opts.Logger.Info("Released lease", "lock", e.lock.Describe())
		return
	}
}
