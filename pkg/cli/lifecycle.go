// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/manager"
)

// Exit statuses of the manager, beside 0 for a stop that was asked for and 1 for a
// configuration, an address or a cluster that does not let it work.
const (
	// exitStuck: controllers did not stop. The lease is kept until it expires, so
	// that no other manager works beside them.
	exitStuck = 3
	// exitLate: the stop took longer than its deadline.
	exitLate = 4
	// exitSignal is added to the number of a second signal, as shells do.
	exitSignal = 128
)

// stopSlack is what the end may take beside the controllers and the lease: events,
// answers under way, traces.
const stopSlack = 10 * time.Second

// supervise runs the program until it ends or a signal ends it. The first SIGTERM
// or SIGINT stops everything in order, the second ends the process at once; an
// orderly stop that takes too long is not waited for.
func (d *daemon) supervise() error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	result := make(chan error, 1)
	go func() { result <- d.serve(ctx) }()
	var deadline <-chan time.Time
	first := ""
	for {
		select {
		case err := <-result:
			return d.ended(first, err)
		case s := <-signals:
			if first != "" {
				return d.ended(first, &ExitError{exitSignal + int(s.(syscall.Signal)), fmt.Errorf("a second signal, %s, ended the process at once", s)})
			}
			first = s.String()
			d.notify.stopping()
			limit := d.stopDeadline()
			d.logger.Info("Stopping", "signal", first, "deadline", limit)
			deadline = time.After(limit)
			stop()
		case <-deadline:
			return d.ended(first, &ExitError{exitLate, fmt.Errorf("the stop that %s began did not end within its deadline of %s", first, d.stopDeadline())})
		}
	}
}

// ended logs, in one line, why the process ends and with which status.
func (d *daemon) ended(signalled string, err error) error {
	var wanted *ExitError
	if errors.Is(err, manager.ErrStuck) && !errors.As(err, &wanted) {
		err = &ExitError{exitStuck, err}
	}
	switch {
	case err != nil:
		d.logger.Error(nil, "Ended", "reason", err.Error(), "status", exitStatus(err))
	default:
		d.logger.Info("Ended", "reason", "stopped by "+signalled, "status", 0)
	}
	klog.Flush()
	return err
}

// stopDeadline is how long an orderly stop may take: for the controllers, for the
// release of the lease, and for the rest.
func (d *daemon) stopDeadline() time.Duration {
	c := d.manager.Snapshot().Config
	if c == nil {
		return stopSlack
	}
	return c.Config.Reload.StopTimeout.Duration + c.Config.LeaderElection.RenewDeadline.Duration + stopSlack
}
