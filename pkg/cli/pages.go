// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/server"
)

var (
	errStuck   = errors.New("the controller did not stop in time")
	errFailed  = errors.New("the controller failed and waits for its next start")
	errSyncing = errors.New("the controller has not filled its caches")
)

// health is bad when the lease is not renewed or a controller is stuck: a
// restart of the process is then the remedy. A controller that fails is started
// anew without one.
func (d *daemon) health() []server.Check {
	return d.checks(func(s controller.State) error {
		if s == controller.Stuck {
			return errStuck
		}
		return nil
	})
}

// ready is bad until every controller works. A standby is ready.
func (d *daemon) ready() []server.Check {
	return d.checks(func(s controller.State) error {
		switch s {
		case controller.Stuck:
			return errStuck
		case controller.Failed:
			return errFailed
		case controller.Starting, controller.Syncing:
			return errSyncing
		}
		return nil
	})
}

// checks are the lease and each controller that has something to do; with none
// of them there is still something to answer with.
func (d *daemon) checks(problem func(controller.State) error) []server.Check {
	checks := d.election.checks()
	for _, c := range d.manager.Snapshot().Controllers {
		if c.State != controller.Off && c.State != controller.Waiting {
			checks = append(checks, server.Check{Name: c.Name, Err: problem(c.State)})
		}
	}
	if len(checks) == 0 {
		checks = append(checks, server.Check{Name: "ping"})
	}
	return checks
}

// configuration is the answer at /configz.
type configuration struct {
	// Effective has the file, the flags and the defaults laid over each other.
	Effective  *v1beta1.KubeControllerManagerConfiguration `json:"kubecontrollermanager.config.k8s.io"`
	Generation int                                         `json:"generation"`
	Hash       string                                      `json:"hash"`
	Leading    bool                                        `json:"leading"`
	// Rejected is why a newer file is not in effect.
	Rejected string `json:"rejected,omitempty"`
	// Fallback says that the last good configuration from before the start is in
	// effect, and Bad has the hash of one that was taken back.
	Fallback bool   `json:"fallback,omitempty"`
	Bad      string `json:"bad,omitempty"`
	// Origins tells where values that are not defaults came from.
	Origins     map[string]string `json:"origins,omitempty"`
	Controllers any               `json:"controllers"`
}

func (d *daemon) configz() any {
	s := d.manager.Snapshot()
	c := configuration{Generation: s.Generation, Hash: s.Hash, Leading: s.Leading, Rejected: s.Rejected, Fallback: s.Fallback, Bad: s.Bad, Controllers: s.Controllers}
	if s.Config != nil {
		c.Effective, c.Origins = s.Config.Config, s.Config.Origins
	}
	return c
}

// shown are the values of all flags, as given or by default.
func (s *settings) shown() map[string]string {
	flags := map[string]string{}
	s.flags.VisitAll(func(f *pflag.Flag) { flags[f.Name] = f.Value.String() })
	return flags
}

// effect tells about the configuration in effect.
func (d *daemon) effect(started time.Time) func() server.Effect {
	return func() server.Effect {
		s := d.manager.Snapshot()
		return server.Effect{Started: started, Generation: s.Generation, Hash: s.Hash, Rejected: s.Rejected, Emulation: feature.EmulationVersion}
	}
}

// setVerbosity lasts until the configuration changes what is logged.
func (d *daemon) setVerbosity(level uint32) error {
	if d.manager.Snapshot().Config == nil {
		return errors.New("no configuration is in effect yet")
	}
	d.log.SetVerbosity(level)
	return nil
}
