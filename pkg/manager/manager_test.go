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
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
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
	w.expect(2, 2, 2)

	w.apply("clientConnection: {qps: 30, useServiceAccountCredentials: true}\ncontrollers: {namespace-controller: {syncPeriod: 1m, workers: 3}}\nfeatureGates: {PodDeletionCost: false}")
	w.expect(3, 3, 3)

	w.apply("clientConnection: {qps: 30, useServiceAccountCredentials: true}\ncontrollers: {baseline: None, namespace-controller: {enabled: true}}")
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
	if err := w.Apply(w.load("controllers: {deployment-controller: {enabled: true, workers: 2}, namespace-controller: {workers: 1}}\nclientConnection: {useServiceAccountCredentials: true}")); err == nil {
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

	w.advance(func() { w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}") })
	if got := w.controller("namespace-controller").State; got != controller.Stuck {
		t.Errorf("state %s, want Stuck", got)
	}
	w.expect(1, 1, 1)
	// The others can still be changed.
	w.advance(func() {
		w.apply("controllers: {namespace-controller: {syncPeriod: 1m}, deployment-controller: {enabled: false}}")
	})
	if got := w.controller("deployment-controller").State; got != controller.Off {
		t.Errorf("a neighbour is %s, want Off", got)
	}
	w.advance(func() {
		if err := stop(); !errors.Is(err, manager.ErrStuck) {
			t.Errorf("the end of the term returned %v, want ErrStuck", err)
		}
	})
	f.listen()
	w.eventually("the late end is noticed", func(manager.Status) bool { return w.controller("namespace-controller").State == controller.Off })
}

// One that does not stop delays neither what the same change starts nor what a
// later one does.
func TestStuckControllerBlocksNobody(t *testing.T) {
	w := newWorld(t)
	f := w.fakes["namespace-controller"]
	f.set(func() { f.deaf = true })
	w.apply("controllers: {deployment-controller: {enabled: false}}")
	stop := w.lead()
	w.expect(0, 1, 1)

	// The clock stands still, so nobody can wait for a deadline.
	change := w.load("controllers: {namespace-controller: {syncPeriod: 1m}}\nfeatureGates: {PodDeletionCost: false}")
	applied := make(chan error, 1)
	go func() { applied <- w.Apply(change) }()
	w.expect(1, 1, 2)
	w.advance(func() {
		if err := <-applied; err != nil {
			t.Error(err)
		}
	})
	if got := w.controller("namespace-controller").State; got != controller.Stuck {
		t.Fatalf("state %s, want Stuck", got)
	}
	w.apply("controllers: {namespace-controller: {syncPeriod: 2m}}")
	w.expect(1, 1, 3)
	f.listen()
	w.eventually("the late end is noticed", func(manager.Status) bool { return f.runs() == 2 })
	if s := f.section; !strings.Contains(s, "2m0s") {
		t.Errorf("runs on %s after the late end, want the present section", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Who has lost the lease must not act a moment longer, even when the manager is
// waiting for something else.
func TestEndOfTheTermReachesAllAtOnce(t *testing.T) {
	w := newWorld(t)
	f := w.fakes["namespace-controller"]
	f.set(func() { f.deaf = true })
	w.apply("")
	stop := w.lead()
	w.expect(1, 1, 1)
	change := w.load("controllers: {namespace-controller: {enabled: false}}")
	applied := make(chan error, 1)
	go func() { applied <- w.Apply(change) }()
	// The clock stands still: the manager waits for the one that does not hear.
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	testkit.Eventually(t, timeout, func() error {
		if n := w.fakes["deployment-controller"].living.Load() + w.fakes["replicaset-controller"].living.Load(); n > 0 {
			return fmt.Errorf("%d controllers still act", n)
		}
		return nil
	})
	f.listen()
	if err := <-applied; err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for name, want := range map[string]controller.State{"deployment-controller": controller.Waiting, "replicaset-controller": controller.Waiting, "namespace-controller": controller.Off} {
		if c := w.controller(name); c.State != want || c.Restarts != 0 {
			t.Errorf("%+v, want %s without a restart", c, want)
		}
	}
}

func TestIllnessOnProbationTakesTheChangeBack(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	good := w.Status().Hash
	f := w.fakes["namespace-controller"]
	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}")
	w.expect(1, 2, 1)
	bad := w.Status()
	if bad.ProbationEnds.IsZero() {
		t.Error("not on probation")
	}
	f.set(func() { f.ill = errors.New("the key is gone") })
	w.advance(func() {
		w.eventually("not taken back", func(s manager.Status) bool { return s.Hash == good })
	})
	s := w.Status()
	if s.Bad != bad.Hash || !strings.Contains(s.Rejected, "namespace-controller is unhealthy: the key is gone") || !s.ProbationEnds.IsZero() {
		t.Errorf("bad %q, rejected %q, probation until %s", s.Bad, s.Rejected, s.ProbationEnds)
	}
	if c := w.controller("namespace-controller"); c.Unhealthy != "the key is gone" {
		t.Errorf("%+v", c)
	}
	if a := s.History[0]; a.Outcome != manager.RolledBack || a.Hash != bad.Hash || a.Generation != s.Generation {
		t.Errorf("the history begins with %+v", a)
	}
}

func TestProbationEnds(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	f := w.fakes["namespace-controller"]
	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}")
	w.expect(1, 2, 1)
	changed := w.Status().Hash
	w.advance(func() {
		w.eventually("on probation for ever", func(s manager.Status) bool { return s.ProbationEnds.IsZero() })
	})
	f.set(func() { f.ill = errors.New("later") })
	f.fails <- errors.New("later")
	w.eventually("the failure is noticed", func(manager.Status) bool { return w.controller("namespace-controller").LastError == "later" })
	if s := w.Status(); s.Hash != changed || s.Bad != "" {
		t.Errorf("a failure after the probation took the change back: %+v", s)
	}
}

// What is good may not be good any more.
func TestRollbackThatFails(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	w.lead()
	w.expect(1, 1, 1)
	f := w.fakes["namespace-controller"]
	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}")
	w.expect(1, 2, 1)
	changed := w.Status().Hash
	f.set(func() { f.refuse = errors.New("the old file is gone") })
	f.fails <- errors.New("broken")
	w.eventually("not told", func(s manager.Status) bool {
		return strings.Contains(s.Rejected, "broken; going back to") && strings.Contains(s.Rejected, "the old file is gone")
	})
	if s := w.Status(); s.Hash != changed || s.History[0].Outcome != manager.Rejected {
		t.Errorf("hash %s, want %s; history %+v", s.Hash, changed, s.History[0])
	}
	f.set(func() { f.refuse = nil })
	w.advance(func() { w.expect(1, 3, 1) })
}

func TestStartsAreSpread(t *testing.T) {
	w := newWorld(t)
	w.apply("reload: {startInterval: 10s}")
	stop := w.lead()
	w.clock.Step(9 * time.Second)
	w.expect(0, 0, 0)
	w.advance(func() { w.expect(1, 1, 1) })
	if err := stop(); err != nil {
		t.Error(err)
	}
	w.lead() // and ends while all wait
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
