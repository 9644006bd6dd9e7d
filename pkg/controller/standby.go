// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Attacher is a Controller that attaches kinds at run time, besides those it
// declares with Watch.
type Attacher interface {
	// Attaches asks the API server which kinds a run would attach now. It may
	// be called any number of times and sends no LIST.
	Attaches(ctx context.Context) ([]informer.Source, error)
}

// Kinds are those that were declared with Watch.
func (l *Loop) Kinds() []informer.Source { return l.kinds }

// lookAgain is how often a standby asks its controllers anew, for kinds that were
// defined meanwhile.
const lookAgain = 30 * time.Second

// Standby fills the caches of controllers that do not run yet, and keeps them
// while they do: a process that takes over then needs no LIST. The zero value is
// cold. Its methods must not be called at the same time.
type Standby struct {
	stop func()
}

// Keep makes the caches of these instances, which are never run, those that are
// kept warm. What the instances declare is leased when it returns; what the API
// server must be asked about follows. All of it fills by itself.
func (s *Standby) Keep(pool *informer.Pool, instances []*Instance, c clock.WithTicker, logger klog.Logger) {
	before := s.stop
	ctx, cancel := context.WithCancel(context.Background())
	w := &warming{pool: pool, instances: instances, logger: logger}
	w.keep(nil)
	var done sync.WaitGroup
	done.Go(func() { w.run(ctx, c) })
	s.stop = func() {
		cancel()
		done.Wait()
		w.warmth.Release()
	}
	if before != nil {
		before()
	}
}

// Cool gives all informers back.
func (s *Standby) Cool() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// warming is what one Keep began.
type warming struct {
	pool      *informer.Pool
	instances []*Instance
	logger    klog.Logger
	warmth    informer.Warmth
	failed    bool
}

func (w *warming) run(ctx context.Context, c clock.WithTicker) {
	ticker := c.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		kinds, err := w.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			w.keep(kinds)
		} else if !w.failed {
			w.logger.Error(err, "Not all caches of the standby can be filled, will retry", "after", lookAgain)
		}
		w.failed = err != nil
		if err == nil && len(kinds) == 0 {
			return // nobody attaches anything, so nothing changes
		}
		select {
		case <-ticker.C():
		case <-ctx.Done():
			return
		}
	}
}

// ask is what controllers would attach now.
func (w *warming) ask(ctx context.Context) (kinds []informer.Source, err error) {
	for _, i := range w.instances {
		if a, ok := i.controller.(Attacher); ok {
			more, failed := a.Attaches(ctx)
			kinds, err = append(kinds, more...), errors.Join(err, failed)
		}
	}
	return kinds, err
}

// keep leases what is declared and what is given.
func (w *warming) keep(attached []informer.Source) {
	kinds := attached
	for _, i := range w.instances {
		if d, ok := i.controller.(interface{ Kinds() []informer.Source }); ok {
			kinds = append(kinds, d.Kinds()...)
		}
	}
	if err := w.warmth.Keep(w.pool, kinds); err != nil && !errors.Is(err, context.Canceled) {
		w.logger.Error(err, "Not all caches of the standby can be filled")
	}
}
