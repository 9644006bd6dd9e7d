// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"net/http"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
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
	checks := d.election.checks()
	for _, c := range d.manager.Snapshot().Controllers {
		switch c.State {
		case controller.Off, controller.Waiting:
		case controller.Stuck:
			checks = append(checks, server.Check{Name: c.Name, Err: errStuck})
		default:
			checks = append(checks, server.Check{Name: c.Name})
		}
	}
	if len(checks) == 0 {
		checks = append(checks, server.Check{Name: "ping"})
	}
	return checks
}

// ready is bad until every controller works. A standby is ready.
func (d *daemon) ready() []server.Check {
	checks := d.election.checks()
	for _, c := range d.manager.Snapshot().Controllers {
		check := server.Check{Name: c.Name}
		switch c.State {
		case controller.Off, controller.Waiting:
			continue
		case controller.Stuck:
			check.Err = errStuck
		case controller.Failed:
			check.Err = errFailed
		case controller.Starting, controller.Syncing:
			check.Err = errSyncing
		}
		checks = append(checks, check)
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
	// Origins tells where values that are not defaults came from.
	Origins     map[string]string `json:"origins,omitempty"`
	Controllers any               `json:"controllers"`
}

func (d *daemon) configz() any {
	s := d.manager.Snapshot()
	c := configuration{Generation: s.Generation, Hash: s.Hash, Leading: s.Leading, Rejected: s.Rejected, Controllers: s.Controllers}
	if s.Config != nil {
		c.Effective, c.Origins = s.Config.Config, s.Config.Origins
	}
	return c
}

func (d *daemon) debug(name string) http.Handler { return d.manager.Debug(name) }
