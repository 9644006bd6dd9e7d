// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// Source is where the state comes from. Its functions are called for each
// request and must not wait.
type Source struct {
	Status     func() manager.Status
	Leadership func() Leadership
	// Process is complete but for the uptime.
	Process Process
	// File, Dir and Flags are what the configuration is made of.
	File, Dir string
	Flags     map[string]string
	Now       func() time.Time
}

// Document is the state now.
func (s Source) Document() Document {
	now, m := s.Now(), s.Status()
	d := Document{
		APIVersion: APIVersion, Kind: Kind, Time: now.UTC(),
		Process: s.Process,
		Configuration: Configuration{
			File: s.File, Dir: s.Dir, Generation: m.Generation, Hash: m.Hash, Applied: m.Applied.UTC(), ProbationEnds: utc(m.ProbationEnds),
			Rejected: m.Rejected, Bad: m.Bad,
		},
		Leadership:  s.Leadership(),
		Controllers: []Controller{}, Diff: []Difference{}, Gates: []Gate{}, Informers: []Informer{}, History: []Attempt{},
	}
	d.Process.Started = d.Process.Started.UTC()
	d.Process.Uptime = max(0, int64(now.Sub(s.Process.Started).Seconds()))
	d.Leadership.Leading = m.Leading
	for _, c := range m.Controllers {
		d.Controllers = append(d.Controllers, describe(c))
	}
	for _, i := range m.Informers {
		d.Informers = append(d.Informers, cache(i))
	}
	for _, a := range m.History {
		d.History = append(d.History, attempt(a))
	}
	if m.Config != nil {
		for _, w := range m.Config.Warnings {
			d.Configuration.Warnings = append(d.Configuration.Warnings, w.String())
		}
		d.Gates = append(d.Gates, unusual(m.Config.Gates)...)
	}
	if m.Config != nil && m.Previous != nil {
		d.Diff = append(d.Diff, differences(m.Previous, m.Config)...)
	}
	return d
}

// Running is the effective configuration now; false: there is none yet.
func (s Source) Running() (Running, bool) {
	m := s.Status()
	if m.Config == nil {
		return Running{}, false
	}
	return Running{
		APIVersion: APIVersion, Kind: ConfigurationKind, Version: s.Process.Version, File: s.File, Dir: s.Dir,
		Generation: m.Generation, Hash: m.Hash, Flags: s.Flags, Origins: m.Config.Origins, Configuration: m.Config.Config,
	}, true
}

// utc keeps the zero time.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func describe(c manager.ControllerStatus) Controller {
	bad := c.State == controller.Failed || c.State == controller.Stuck
	return Controller{
		Name: c.Name, State: c.State, Reason: cmp.Or(c.Reason, c.Unhealthy), Problem: bad || c.Unhealthy != "",
		Since: c.Since.UTC(), LastError: c.LastError, Workers: c.Workers, Run: c.Run, Restarts: c.Restarts,
		Queue: c.Load.Depth, SyncsPerMinute: c.Load.PerMinute, Syncs: c.Load.Syncs, Errors: c.Load.Errors, Retries: c.Load.Retries,
	}
}

func cache(i informer.Stat) Informer {
	return Informer{Resource: resource(i.Key), Objects: i.Objects, Users: i.Leases, Synced: i.Synced}
}

// resource is the key of a cache, GROUP/VERSION, Resource=NAME/VARIANT, as people
// write it.
func resource(key string) string {
	version, name, ok := strings.Cut(key, ", Resource=")
	group, _, _ := strings.Cut(version, "/")
	if !ok || group == "" {
		return cmp.Or(name, key)
	}
	name, variant, _ := strings.Cut(name, "/")
	return strings.TrimSuffix(name+"."+group+"/"+variant, "/")
}

func attempt(a manager.Attempt) Attempt {
	d := Attempt{
		Time: a.Time.UTC(), Outcome: a.Outcome, Hash: a.Hash, Generation: a.Generation, Reason: a.Reason, Leading: a.Leading,
		Changes: a.Plan.Changes,
	}
	for _, s := range a.Plan.Steps {
		switch s.Action {
		case plan.Keep:
			d.Kept++
		case plan.Off:
		default:
			d.Steps = append(d.Steps, s)
		}
	}
	return d
}

// unusual are the gates that do not have their default.
func unusual(set feature.Set) []Gate {
	var list []Gate
	for _, info := range feature.Describe() {
		if v := set.Enabled(info.Name); v != info.Default {
			list = append(list, Gate{Name: string(info.Name), Value: v, Stage: info.Stage})
		}
	}
	return list
}

// Problems are what somebody should look at, a line each: a configuration that
// is not in effect, and controllers that do not work.
func (d Document) Problems() []string {
	var list []string
	if d.Configuration.Rejected != "" {
		list = append(list, "configuration: "+d.Configuration.Rejected)
	}
	for _, c := range d.Controllers {
		if c.Problem {
			list = append(list, strings.TrimSuffix(c.Name+" is "+string(c.State)+": "+c.Reason, ": "))
		}
	}
	return list
}

// urgency orders states: what needs a look comes first.
func urgency(c Controller) int {
	if c.Problem && c.State != controller.Stuck && c.State != controller.Failed {
		return 2
	}
	order := []controller.State{controller.Stuck, controller.Failed, "", controller.Stopping, controller.Starting, controller.Syncing,
		controller.Running, controller.Waiting, controller.Off}
	return slices.Index(order, c.State)
}

// ByUrgency orders controllers so that those that need a look come first, and
// those that are off last.
func ByUrgency(a, b Controller) int {
	return cmp.Or(cmp.Compare(urgency(a), urgency(b)), strings.Compare(a.Name, b.Name))
}
