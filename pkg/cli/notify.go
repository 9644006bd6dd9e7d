// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strconv"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"
)

// notifier tells the service manager of the machine, when there is one, how the
// program is doing, as sd_notify(3).
type notifier struct{ logger klog.Logger }

func (n notifier) send(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		n.logger.Info("The service manager could not be notified", "state", state, "err", err)
	}
}

// ready: the configuration in effect is the one with this hash.
func (n notifier) ready(hash string) {
	n.send(systemd.SdNotifyReady + "\nSTATUS=Configuration " + hash + " is in effect")
}

// reloading is followed by ready, whether the new configuration is taken or not.
func (n notifier) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return
	}
	n.send(systemd.SdNotifyReloading + "\nMONOTONIC_USEC=" + microseconds(now))
}

func (n notifier) stopping() { n.send(systemd.SdNotifyStopping) }

// watchdog reports at half the interval that the service manager wants, as long
// as alive returns; without one it does nothing.
func (n notifier) watchdog(ctx context.Context, alive func()) {
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			alive()
			n.send(systemd.SdNotifyWatchdog)
		}
	}
}

func microseconds(t unix.Timespec) string { return strconv.FormatInt(t.Nano()/1000, 10) }
