// SPDX-License-Identifier: Apache-2.0

package manager_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

func TestOnlyWhatAChangeConcernsIsTouched(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)

	w.apply("controllers: {deployment-controller: {enabled: false}}")
	w.expect(1, 1, 1)
	if c := w.controller("deployment-controller"); c.State != controller.Off || c.Reason != "disabled in its section" {
		t.Errorf("after disabling: %+v", c)
	}
	w.apply("")
	w.expect(2, 1, 1)

	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}")
	w.expect(2, 2, 1)
	if s := w.fakes["namespace-controller"].section; !strings.Contains(s, "1m0s") {
		t.Errorf("restarted on %s", s)
	}

	w.apply("controllers: {namespace-controller: {syncPeriod: 1m, workers: 3}}")
	w.expect(2, 2, 1)
	if n := w.fakes["namespace-controller"].workers.Count(); n != 3 {
		t.Errorf("%d workers after a resize to 3", n)
	}

	w.apply("controllers: {namespace-controller: {syncPeriod: 1m, workers: 3}}\nfeatureGates: {PodDeletionCost: false}")
	w.expect(2, 2, 2)

	w.apply("controllers: {namespace-controller: {syncPeriod: 1m, workers: 3}}\nfeatureGates: {PodDeletionCost: false}\nlogging: {verbosity: 3}")
	w.expect(2, 2, 2)

	w.apply("clientConnection: {qps: 30}\ncontrollers: {namespace-controller: {syncPeriod: 1m, workers: 3}}\nfeatureGates: {PodDeletionCost: false}")
	w.expect(3, 3, 3)

	w.apply("clientConnection: {qps: 30}\ncontrollers: {baseline: None, namespace-controller: {enabled: true}}")
	w.expect(3, 4, 3)
	for name, want := range map[string]controller.State{"deployment-controller": controller.Off, "replicaset-controller": controller.Off} {
		if got := w.controller(name).State; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestStandbyChecksAndWaits(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	if got := w.controller("deployment-controller").State; got != controller.Waiting {
		t.Errorf("a standby's controller is %s", got)
	}
	w.fakes["deployment-controller"].set(func() { w.fakes["deployment-controller"].refuse = errors.New("no") })
	if err := w.Apply(w.load("controllers: {deployment-controller: {enabled: true, workers: 2}, namespace-controller: {workers: 1}}\nclientConnection: {burst: 9}")); err == nil {
		t.Error("a standby must notice what cannot be built")
	}
	w.fakes["deployment-controller"].set(func() { w.fakes["deployment-controller"].refuse = nil })
	w.apply("controllers: {namespace-controller: {enabled: false}}")
	w.expect(0, 0, 0)
	stop := w.lead()
	w.expect(1, 0, 1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := w.controller("deployment-controller").State; got != controller.Waiting {
		t.Errorf("after the term a controller is %s", got)
	}
	w.lead()
	w.expect(2, 0, 2)
}

// part records what happened to it.
type part struct {
	err                 error
	prepared, committed int
	discarded           int
}

func (p *part) Prepare(_, _ *config.Loaded, _ plan.Plan) (commit, discard func(), err error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	p.prepared++
	return func() { p.committed++ }, func() { p.discarded++ }, nil
}

func TestFailureBeforeTheCommitChangesNothing(t *testing.T) {
	first, second := &part{}, &part{}
	w := newWorld(t, first, second)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	good := w.Status().Hash

	tryAll := func(name, body string, arm, disarm func()) {
		arm()
		defer disarm()
		committed := first.committed
		if err := w.Apply(w.load(body)); err == nil {
			t.Errorf("%s: applied", name)
		}
		if first.committed != committed || first.prepared != first.committed+first.discarded {
			t.Errorf("%s: part %+v was not given up", name, first)
		}
		w.expect(1, 1, 1)
		if s := w.Status(); s.Hash != good || s.Rejected == "" {
			t.Errorf("%s: hash %s (want %s), rejected %q", name, s.Hash, good, s.Rejected)
		}
	}
	f := w.fakes["namespace-controller"]
	everything := "controllers: {deployment-controller: {enabled: false}, namespace-controller: {syncPeriod: 1m}}\n"
	tryAll("constructor", everything,
		func() { f.set(func() { f.refuse = errors.New("bad file") }) }, func() { f.set(func() { f.refuse = nil }) })
	tryAll("part", everything, func() { second.err = errors.New("port in use") }, func() { second.err = nil })
	tryAll("connection", everything+"clientConnection: {master: 'https://broken'}", func() {}, func() {})
	w.apply(everything)
	w.expect(1, 2, 1)
}

func TestFailureOnProbationTakesTheChangeBack(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	good := w.Status().Hash
	f := w.fakes["namespace-controller"]
	f.set(func() { f.fail = errors.New("cannot work like that") })
	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}, deployment-controller: {enabled: false}}")
	w.eventually("not taken back", func(s manager.Status) bool {
		return s.Hash == good && strings.Contains(s.Rejected, "cannot work like that")
	})
	w.expect(2, 3, 1)
	if s := f.section; !strings.Contains(s, "5m0s") {
		t.Errorf("runs on %s, want the old section", s)
	}
}

func TestFailureLaterIsRetriedWithBackoff(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	f := w.fakes["namespace-controller"]
	f.set(func() { f.panics = errors.New("boom") })
	f.fails <- errors.New("broken")
	state := func(want controller.State) {
		t.Helper()
		w.eventually("want "+string(want), func(manager.Status) bool { return w.controller("namespace-controller").State == want })
	}
	state(controller.Failed)
	if c := w.controller("namespace-controller"); c.Reason != "broken" {
		t.Errorf("reason %q", c.Reason)
	}
	w.clock.Step(time.Second) // the second run panics
	w.expect(1, 2, 1)
	state(controller.Failed)
	w.clock.Step(time.Second) // too soon: it is two seconds now
	w.clock.Step(time.Second)
	w.expect(1, 3, 1)
	state(controller.Starting)
	if c := w.controller("deployment-controller"); c.Run != 1 {
		t.Errorf("a neighbour noticed: %+v", c)
	}
	f.fails <- errors.New("again")
	state(controller.Failed)
	w.apply("controllers: {namespace-controller: {enabled: false}}")
	w.clock.Step(time.Hour)
	w.expect(1, 3, 1)
}

func TestStuckControllerIsNeverReplaced(t *testing.T) {
	w := newWorld(t)
	f := w.fakes["namespace-controller"]
	f.set(func() { f.deaf = true })
	w.apply("")
	stop := w.lead()
	w.expect(1, 1, 1)

	advance := func(what func()) {
		done := make(chan struct{})
		go func() { defer close(done); what() }()
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				w.clock.Step(time.Second)
			}
		}
	}
	advance(func() { w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}") })
	if got := w.controller("namespace-controller").State; got != controller.Stuck {
		t.Errorf("state %s, want Stuck", got)
	}
	w.expect(1, 1, 1)
	// The others can still be changed.
	advance(func() {
		w.apply("controllers: {namespace-controller: {syncPeriod: 1m}, deployment-controller: {enabled: false}}")
	})
	if got := w.controller("deployment-controller").State; got != controller.Off {
		t.Errorf("a neighbour is %s, want Off", got)
	}
	advance(func() {
		if err := stop(); !errors.Is(err, manager.ErrStuck) {
			t.Errorf("the end of the term returned %v, want ErrStuck", err)
		}
	})
	close(f.hear)
	w.eventually("the late end is noticed", func(manager.Status) bool { return w.controller("namespace-controller").State == controller.Off })
}

// Whatever order changes come in, two runs of one controller never overlap (the
// stand-ins complain), and the end is what the last file says.
func TestRandomChanges(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	stop := w.lead()
	last := ""
	for range 150 {
		last = fmt.Sprintf("controllers: {deployment-controller: {enabled: %v, workers: %d}, namespace-controller: {enabled: %v, syncPeriod: %ds}, replicaset-controller: {enabled: %v}}\nfeatureGates: {PodDeletionCost: %v}",
			rand.IntN(2) == 0, 1+rand.IntN(3), rand.IntN(2) == 0, 1+rand.IntN(2), rand.IntN(2) == 0, rand.IntN(2) == 0)
		w.apply(last)
		if rand.IntN(20) == 0 {
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			stop = w.lead()
		}
	}
	now := w.load(last)
	for _, c := range w.Status().Controllers {
		var section interface{ Explicit() *bool }
		switch c.Name {
		case "deployment-controller":
			section = &now.Config.Controllers.Deployment
		case "namespace-controller":
			section = &now.Config.Controllers.Namespace
		default:
			section = &now.Config.Controllers.ReplicaSet
		}
		if on := *section.Explicit(); on == (c.State == controller.Off) {
			t.Errorf("%s is %s, the file says enabled: %v", c.Name, c.State, on)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.hub.Runs(); n != 0 {
		t.Errorf("%d metric registries are left", n)
	}
}
