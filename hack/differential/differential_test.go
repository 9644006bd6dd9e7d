// SPDX-License-Identifier: Apache-2.0

package differential_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/hack/differential"
	"github.com/kube-live/kube-controller-manager/pkg/cli"
)

// asProgram makes the test's own executable behave as the program.
const asProgram = "KUBE_CONTROLLER_MANAGER_TEST_AS_PROGRAM"

var (
	only    = flag.String("scenario", "", "run only scenarios whose name matches this regular expression")
	phases  = flag.String("phases", "undisturbed,killed,live", "what happens to the program while scenarios run")
	lively  = flag.String("live", "^(deployment|statefulset|daemonset|job)/", "scenarios that run while controllers are stopped and started live")
	atATime = flag.Int("at-a-time", 8, "scenarios that run side by side")
	logs    = flag.String("logs", "", "folder for the programs' logs; a temporary one without it")
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Exit(os.Stderr, cli.Root().Execute()))
	}
	flag.Parse()
	os.Exit(m.Run())
}

// outcome is what a run on upstream's program led to.
type outcome struct {
	namespace string
	objects   []map[string]any
	made      int
}

// least is how often the program must be disturbed in a phase.
const least = 20

func TestScenarios(t *testing.T) {
	scenarios := chosen(t)
	if *logs == "" {
		*logs = t.TempDir()
	}
	var own, peer *side
	var wg sync.WaitGroup
	wg.Go(func() { own = newSide(t, *logs, true) })
	wg.Go(func() { peer = newSide(t, *logs, false) })
	wg.Wait()
	if own == nil || peer == nil {
		t.FailNow()
	}
	var mu sync.Mutex
	outcomes := map[string]outcome{}
	t.Run("undisturbed", func(t *testing.T) {
		all(t, scenarios, func(t *testing.T, s *differential.Scenario) {
			if o := sideBySide(t, s, own, peer); o != nil {
				mu.Lock()
				defer mu.Unlock()
				outcomes[s.Name] = *o
			}
		})
	})
	peer.program.Stop()
	disturbances := map[string]func(pause func()){
		"killed": func(pause func()) {
			pause()
			pause() // twice: after a start, all caches must be filled
			own.program.Kill()
			if err := own.program.Start(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"live": func(pause func()) {
			own.choose(t, false)
			pause()
			own.choose(t, true)
			pause()
		},
	}
	rollouts, err := regexp.Compile(*lively)
	do(t, err)
	for _, phase := range []string{"killed", "live"} {
		if !strings.Contains(*phases, phase) {
			continue
		}
		taken := slices.Clone(scenarios)
		if phase == "live" {
			taken = slices.DeleteFunc(taken, func(s differential.Scenario) bool { return !rollouts.MatchString(s.Name) })
		}
		t.Run(phase, func(t *testing.T) {
			stop := own.disturb(t, disturbances[phase])
			all(t, taken, func(t *testing.T, s *differential.Scenario) {
				if o, ok := outcomes[s.Name]; ok && s.Undisturbed == "" {
					disturbed(t, s, own, o, phase)
				}
			})
			n := stop()
			t.Logf("disturbed %d times", n)
			if n < least && *only == "" && every == 1 {
				t.Errorf("the program was disturbed %d times only", n)
			}
		})
	}
}

func chosen(t *testing.T) []differential.Scenario {
	scenarios, err := differential.Load("scenarios")
	do(t, err)
	wanted, err := regexp.Compile(*only)
	do(t, err)
	var list []differential.Scenario
	for i, s := range scenarios {
		if wanted.MatchString(s.Name) && i%every == 0 {
			list = append(list, s)
		}
	}
	return list
}

// all runs something for each scenario, some side by side.
func all(t *testing.T, scenarios []differential.Scenario, run func(*testing.T, *differential.Scenario)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, *atATime)
	for i := range scenarios {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			t.Run(scenarios[i].Name, func(t *testing.T) {
				since := time.Now()
				run(t, &scenarios[i])
				t.Logf("took %s", time.Since(since).Round(time.Millisecond))
			})
		})
	}
	wg.Wait()
}

// name is a namespace for a scenario; the same one on both sides.
func name(s *differential.Scenario, prefix string) string {
	return prefix + "-" + strings.NewReplacer("/", "-", "_", "-", ".", "-").Replace(s.Name)
}

// take runs a scenario in its namespace.
func (s *side) take(t *testing.T, scenario *differential.Scenario, namespace string) error {
	if err := s.Begin(t.Context(), namespace); err != nil {
		return err
	}
	filled, err := scenario.In(namespace)
	if err != nil {
		return err
	}
	return s.Run(t.Context(), filled, namespace, s.metrics)
}

// Chance decides some events of upstream's: two of its controllers may want to
// delete the same object, or one may look in the moment between a deletion and a
// creation. So a difference in nothing but events counts when it is there a second
// time. In a whole run, so many scenarios may be looked at twice.
const secondLooks = 3

var chances atomic.Int32

// sideBySide compares the programs. It returns what upstream's left behind, or nil
// when a program did not get to the end.
func sideBySide(t *testing.T, s *differential.Scenario, own, peer *side) *outcome {
	o, d := once(t, s, own, peer, name(s, "s"))
	if d.onlyEvents && chances.Add(1) <= secondLooks {
		t.Logf("other events than with upstream (-upstream +this program), looking once more:\n%s", d.text)
		o, d = once(t, s, own, peer, name(s, "again"))
	}
	d.report(t)
	return o
}

func once(t *testing.T, s *differential.Scenario, own, peer *side, namespace string) (*outcome, difference) {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, side := range []*side{own, peer} {
		wg.Go(func() { errs[i] = side.take(t, s, namespace) })
	}
	wg.Wait()
	defer own.End(context.WithoutCancel(t.Context()), namespace)  //nolint:errcheck // what is left disturbs nobody
	defer peer.End(context.WithoutCancel(t.Context()), namespace) //nolint:errcheck // what is left disturbs nobody
	if err := errs[0]; err != nil {
		t.Errorf("this program: %v", err)
	}
	if err := errs[1]; err != nil {
		t.Errorf("upstream's program: %v", err)
	}
	if errors.Join(errs...) != nil {
		return nil, difference{}
	}
	o := outcome{namespace: namespace}
	d := compare(t, func() ([]string, []string, error) {
		theirs, err := peer.state(t, s, namespace)
		if err != nil {
			return nil, nil, err
		}
		o.objects = theirs
		ours, err := own.state(t, s, namespace)
		return differential.Normalize(s, ours, namespace), differential.Normalize(s, theirs, namespace), err
	})
	o.made, _ = peer.census.Of(namespace)
	own.counted(t, s, namespace, o.made)
	return &o, d
}

func disturbed(t *testing.T, s *differential.Scenario, own *side, want outcome, phase string) {
	namespace := name(s, phase)
	if err := own.take(t, s, namespace); err != nil {
		t.Error(err)
		return
	}
	defer own.End(context.WithoutCancel(t.Context()), namespace) //nolint:errcheck // what is left disturbs nobody
	quiet := *s
	quiet.Events = "none" // an end loses some and a start repeats some
	quiet.Apart = true
	theirs := differential.Normalize(&quiet, want.objects, want.namespace)
	d := compare(t, func() ([]string, []string, error) {
		ours, err := own.state(t, s, namespace)
		return differential.Normalize(&quiet, ours, namespace), theirs, err
	})
	d.report(t)
	own.counted(t, s, namespace, want.made)
}

func (s *side) state(t *testing.T, scenario *differential.Scenario, namespace string) ([]map[string]any, error) {
	filled, err := scenario.In(namespace)
	if err != nil {
		return nil, err
	}
	return s.Snapshot(t.Context(), filled, namespace)
}

const (
	// calm is how often two states must be the same in a row.
	calm = 4
	// settled is how long a difference must stay as it is to be believed. Events are
	// written one after the other, behind those of all other scenarios.
	settled = 45 * time.Second
)

// difference is one that stays; its text is empty when there is none.
type difference struct {
	text       string
	onlyEvents bool
}

func (d difference) report(t *testing.T) {
	t.Helper()
	if d.text != "" {
		t.Errorf("other objects than with upstream (-upstream +this program):\n%s", d.text)
	}
}

// between compares two states.
func between(ours, theirs []string) difference {
	if cmp.Equal(theirs, ours) {
		return difference{}
	}
	return difference{text: cmp.Diff(lines(theirs), lines(ours)), onlyEvents: cmp.Equal(lasting(theirs), lasting(ours))}
}

// lasting are the objects that are no events.
func lasting(objects []string) []string {
	return slices.DeleteFunc(slices.Clone(objects), func(o string) bool { return strings.HasPrefix(o, "event: ") })
}

// compare waits until both states are the same and stay so, or the difference does.
func compare(t *testing.T, look func() (ours, theirs []string, err error)) difference {
	begin := time.Now()
	since, last := begin, ""
	for same := 0; same < calm; {
		ours, theirs, err := look()
		d := between(ours, theirs)
		if err != nil {
			d = difference{text: err.Error()}
		}
		if same++; d.text != "" {
			same = 0
		}
		if d.text != last {
			since, last = time.Now(), d.text
		}
		if d.text != "" && (time.Since(since) > settled || time.Since(begin) > differential.Patience) {
			return d
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-t.Context().Done():
			return difference{text: t.Context().Err().Error()}
		}
	}
	return difference{}
}

// lines splits objects for a difference that is easy to read.
func lines(objects []string) [][]string {
	var out [][]string
	for _, o := range objects {
		out = append(out, strings.Split(o, "\n"))
	}
	return out
}

// counted compares how many pods were made, and judges surplus ones.
func (s *side) counted(t *testing.T, scenario *differential.Scenario, namespace string, want int) {
	t.Helper()
	made, surplus := s.census.Of(namespace)
	if scenario.Created == "" && made != want {
		t.Errorf("%d pods were made, and %d with upstream", made, want)
	}
	if len(surplus) > 0 {
		t.Errorf("surplus pods:\n%s", strings.Join(surplus, "\n"))
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"about: x\nsteps: []\n":                              "required",
		"about: x\nsteps: [{}]\n":                            "exactly one",
		"about: x\nsteps: [{until: {is: 'true'}}]\n":         "either object or objects",
		"about: x\nsteps: [{until: {object: P/a, is: '('}}]": "condition",
		"about: x\nsteps: [{unknown: 1}]\n":                  "unknown",
		"about: x\nsteps: [{apply: {name: '${nam}'}}]\n":     "neither ${namespace}",
		"about: x\nsteps: [{post: {path: /, as: jane}}]\n":   "go together",

		"about: x\nsteps: [{apply: {kind: CustomResourceDefinition, spec: {group: example.com}}}]\n": "must begin with ${namespace}",
	} {
		dir := t.TempDir()
		do(t, os.WriteFile(dir+"/a.yaml", []byte(text), 0o600))
		if _, err := differential.Load(dir); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDifferences(t *testing.T) {
	pod, event := "apiVersion: v1\nkind: Pod\n", "event: controllermanager Normal NoPods of PodDisruptionBudget/web\n"
	for name, test := range map[string]struct {
		ours, theirs       []string
		differ, onlyEvents bool
	}{
		"none":              {ours: []string{pod, event}, theirs: []string{pod, event}},
		"an event":          {ours: []string{pod}, theirs: []string{pod, event}, differ: true, onlyEvents: true},
		"another event":     {ours: []string{pod, event + "message: a"}, theirs: []string{pod, event}, differ: true, onlyEvents: true},
		"an object":         {ours: []string{event}, theirs: []string{pod, event}, differ: true},
		"an object, events": {ours: []string{pod + "spec: {}", event}, theirs: []string{pod}, differ: true},
	} {
		d := between(test.ours, test.theirs)
		if (d.text != "") != test.differ || d.onlyEvents != test.onlyEvents {
			t.Errorf("%s: got %+v", name, d)
		}
	}
}
