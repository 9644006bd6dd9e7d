// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		nodes              int
		unavailable, surge string
		want               [2]int
	}{
		{nodes: 5, unavailable: "2", want: [2]int{2, 0}},
		{nodes: 2, unavailable: "50%", want: [2]int{1, 0}},
		{nodes: 3, unavailable: "50%", want: [2]int{2, 0}},
		{nodes: 5, unavailable: "0", surge: "0", want: [2]int{1, 0}},
		{nodes: 0, unavailable: "0", surge: "0", want: [2]int{0, 0}},
		{nodes: 5, unavailable: "0", surge: "20%", want: [2]int{0, 1}},
		{nodes: 6, unavailable: "0%", surge: "20%", want: [2]int{0, 2}},
		{nodes: 5, want: [2]int{1, 0}},
	} {
		v := view{Set: rolling(tc.unavailable, tc.surge)}
		for i := range tc.nodes {
			v.Places = append(v.Places, at(fmt.Sprint(i)))
		}
		unavailable, surge, err := v.limits()
		if got := [2]int{unavailable, surge}; err != nil || got != tc.want {
			t.Errorf("%q and %q of %d: %v, %v, want %v", tc.unavailable, tc.surge, tc.nodes, got, err, tc.want)
		}
	}
	for _, ds := range []*appsv1.DaemonSet{rolling("x", ""), rolling("1", "x")} {
		if _, err := (view{Set: ds}).roll(); err == nil {
			t.Errorf("%v is taken", ds.Spec.UpdateStrategy.RollingUpdate)
		}
	}
	without := rolling("", "")
	without.Spec.UpdateStrategy.RollingUpdate = nil
	if u, s, err := (view{Set: without, Places: []place{at("n")}}).limits(); u != 1 || s != 0 || err != nil {
		t.Errorf("without limits: %d, %d, %v", u, s, err)
	}
}

// Limits never bring an update to a standstill, nor to a panic.
func FuzzLimits(f *testing.F) {
	f.Add("10%", "0", 3)
	f.Add("0", "x%", 1)
	f.Fuzz(func(t *testing.T, unavailable, surge string, nodes int) {
		v := view{Set: rolling("", "")}
		u, s := intstr.Parse(unavailable), intstr.Parse(surge)
		v.Set.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = &u
		v.Set.Spec.UpdateStrategy.RollingUpdate.MaxSurge = &s
		v.Places = make([]place, min(max(nodes, 1), 100))
		for i := range v.Places {
			v.Places[i] = at(fmt.Sprint(i))
		}
		if u, s, err := v.limits(); err == nil && u == 0 && s == 0 {
			t.Errorf("%q and %q of %d allow nothing", unavailable, surge, len(v.Places))
		}
		if _, err := v.roll(); err == nil {
			v.surges()
		}
	})
}

func TestRoll(t *testing.T) {
	unfit := func(p place) place {
		p.Run = false
		return p
	}
	gone := func(p place) place {
		p.verdict, p.Gone = verdict{}, true
		return p
	}
	olds := func(names ...string) (places []place) {
		for _, n := range names {
			places = append(places, at(n, pod(n, former, on(n), ready(time.Hour))))
		}
		return places
	}
	for _, tc := range []struct {
		name    string
		set     *appsv1.DaemonSet
		places  []place
		want    outcome
		invalid bool
	}{
		{name: "within the limit", set: rolling("2", ""), places: olds("a", "b", "c"), want: outcome{Delete: []string{"a", "b"}}},
		{name: "a node without pods is unavailable", set: rolling("2", ""), places: append(olds("a", "b"), at("c")), want: outcome{Delete: []string{"a"}}},
		{name: "a node without pods that wants none is not", set: rolling("2", ""), places: append(olds("a", "b"), unfit(at("c"))), want: outcome{Delete: []string{"a", "b"}}},
		{name: "a leaving pod is no pod", set: rolling("1", ""), places: append(olds("a"), at("b", pod("b", former, on("b"), ready(time.Hour), leaving)))},
		{name: "a new pod that is not available", set: rolling("1", ""), places: append(olds("a"), at("b", pod("b", current, on("b"))))},
		{name: "both", set: rolling("1", ""), places: append(olds("a"), at("b", pod("b1", current, on("b"), ready(time.Hour)), pod("b2", former, on("b"), ready(time.Hour))))},
		{name: "too many of one", set: rolling("1", ""), places: append(olds("a"), at("b", pod("b1", current, on("b"), ready(time.Hour)), pod("b2", current, on("b"), ready(time.Hour))))},
		{name: "old pods that serve nobody go in any case", set: rolling("1", ""),
			places: append(olds("a"), at("b", pod("b", former, on("b"))), at("c", pod("c", former, on("c")))), want: outcome{Delete: []string{"b", "c"}}},
		{name: "all done", set: rolling("1", ""), places: []place{at("a", pod("a", current, on("a"), ready(time.Hour)))}},
		{name: "gone nodes take part", set: rolling("1", ""), places: []place{gone(olds("a")[0])}, want: outcome{Delete: []string{"a"}}},

		{name: "surge", set: rolling("0", "2"), places: olds("a", "b", "c"), want: outcome{Create: []string{"a", "b"}}},
		{name: "surge under way", set: rolling("0", "1"), places: append(olds("a"), at("b", pod("b1", current, on("b")), pod("b2", former, on("b"), ready(time.Hour))))},
		{name: "surge done on a node", set: rolling("0", "1"),
			places: append(olds("a"), at("b", pod("b1", current, on("b"), ready(time.Hour)), pod("b2", former, on("b"), ready(time.Hour)))),
			want:   outcome{Create: []string{"a"}, Delete: []string{"b2"}}},
		{name: "surge, too many of one count", set: rolling("0", "1"),
			places: append(olds("a"), at("b", pod("b1", former, on("b"), ready(time.Hour)), pod("b2", former, on("b"), ready(time.Hour))))},
		{name: "surge beside pods that serve nobody costs nothing", set: rolling("0", "1"),
			places: append(olds("a"), at("b", pod("b", former, on("b"))), at("c", pod("c", former, on("c")))), want: outcome{Create: []string{"b", "c", "a"}}},
		{name: "surge, not eligible and serving nobody", set: rolling("0", "1"), places: []place{unfit(at("a", pod("a", former, on("a"))))},
			want: outcome{Delete: []string{"a"}}},
		{name: "surge, half way", set: rolling("0", "2"), places: append(olds("a", "b", "c"),
			at("d", pod("d1", current, on("d"), ready(time.Hour)), pod("d2", former, on("d"), ready(time.Hour))),
			at("e", pod("e1", current, on("e"), ready(time.Hour)), pod("e2", former, on("e")))),
			want: outcome{Create: []string{"a", "b"}, Delete: []string{"d2", "e2"}}},
		{name: "surge, not eligible and needed", set: rolling("0", "1"), places: []place{unfit(olds("a")[0]), at("b")}},
		{name: "surge, not eligible and not needed", set: rolling("0", "1"),
			places: []place{unfit(olds("a")[0]), at("b", pod("b", current, on("b"), ready(time.Hour)))}, want: outcome{Delete: []string{"a"}}},
		{name: "surge, the node is gone", set: rolling("0", "1"), places: append(olds("a"), gone(olds("b")[0])), invalid: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := view{Set: tc.set, Hash: current, Now: instant(), Places: tc.places}
			p, err := v.roll()
			if (err != nil) != tc.invalid {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, outcomeOf(p)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// play carries out plans at once. Its pods become ready when told so.
type play struct {
	view
	made int
}

// turn is one sync; it returns how many pods were created and deleted.
func (p *play) turn(t *testing.T) [2]int {
	t.Helper()
	todo := p.manage(func(string) time.Duration { return 0 })
	if todo.empty() {
		var err error
		if todo, err = p.roll(); err != nil {
			t.Fatal(err)
		}
	}
	removed := map[string]bool{}
	for _, r := range todo.Delete {
		removed[r.Pod.Name] = true
	}
	wanted := map[string]bool{}
	for _, node := range todo.Create {
		wanted[node] = true
	}
	for i := range p.Places {
		at := &p.Places[i]
		var pods []*corev1.Pod
		for _, pod := range at.Pods {
			if !removed[pod.Name] {
				pods = append(pods, pod)
			}
		}
		if wanted[at.Node] {
			p.made++
			pods = append(pods, pod(fmt.Sprint("made-", p.made), p.Hash, on(at.Node), old(0)))
		}
		at.Pods = pods
	}
	return [2]int{len(todo.Create), len(todo.Delete)}
}

func (p *play) ready() {
	for i := range p.Places {
		for _, pod := range p.Places[i].Pods {
			ready(time.Hour)(pod)
		}
	}
}

func (p *play) pods() (all, updated int) {
	for i := range p.Places {
		for _, pod := range p.Places[i].Pods {
			all++
			if p.updated(pod) {
				updated++
			}
		}
	}
	return all, updated
}

// running is a play in which all nodes have a ready pod of the first revision.
func running(set *appsv1.DaemonSet, nodes int) *play {
	p := &play{view: view{Set: set, Hash: "1", Now: instant()}}
	for i := range nodes {
		p.Places = append(p.Places, at(fmt.Sprint(i)))
	}
	return p
}

func (p *play) expect(t *testing.T, turns ...[2]int) {
	t.Helper()
	for i, want := range turns {
		if got := p.turn(t); got != want {
			t.Fatalf("turn %d creates and deletes %v, want %v", i, got, want)
		}
	}
}

func TestRollingUpdateByDeletion(t *testing.T) {
	p := running(rolling("2", ""), 5)
	p.expect(t, [2]int{5, 0}, [2]int{0, 0})
	p.ready()
	p.Hash = "2"
	for _, n := range []int{2, 2, 1} {
		p.expect(t, [2]int{0, n}, [2]int{n, 0}, [2]int{0, 0})
		p.ready()
	}
	p.expect(t, [2]int{0, 0})
}

func TestUnavailablePodsAreReplacedFirst(t *testing.T) {
	p := running(rolling("10", ""), 20)
	p.expect(t, [2]int{20, 0})
	p.ready()
	p.Hash = "2"
	p.expect(t, [2]int{0, 10}, [2]int{10, 0}, [2]int{0, 0})
	p.Hash = "3"
	p.Set = rolling("5", "")
	p.expect(t, [2]int{0, 10}, [2]int{10, 0}, [2]int{0, 0})
	p.Hash = "4"
	p.Set = rolling("11", "")
	p.expect(t, [2]int{0, 11}, [2]int{11, 0}, [2]int{0, 0})
	if all, updated := p.pods(); all != 20 || updated != 11 {
		t.Errorf("%d of %d pods are new, want 11 of 20", updated, all)
	}
}

func TestRollbackKeepsWhatIsOldAlready(t *testing.T) {
	p := running(rolling("1", ""), 3)
	p.expect(t, [2]int{3, 0})
	p.ready()
	p.Hash = "2"
	p.expect(t, [2]int{0, 1}, [2]int{1, 0}, [2]int{0, 0})
	p.Hash = "1"
	p.expect(t, [2]int{0, 1}, [2]int{1, 0}, [2]int{0, 0})
}

func TestRollingUpdateBySurge(t *testing.T) {
	p := running(rolling("0", "2"), 5)
	p.expect(t, [2]int{5, 0})
	p.ready()
	p.Hash = "2"
	p.expect(t, [2]int{2, 0}, [2]int{0, 0})
	// A pod that is available lets manage take the old one's place away, and roll
	// go on in the turn after it.
	for _, n := range []int{2, 1} {
		p.ready()
		p.expect(t, [2]int{0, 2}, [2]int{n, 0}, [2]int{0, 0})
	}
	p.ready()
	p.expect(t, [2]int{0, 1}, [2]int{0, 0})
	if all, updated := p.pods(); all != 5 || updated != 5 {
		t.Errorf("%d of %d pods are new", updated, all)
	}
}

// Two nodes fit the old template only, two the new one only, two both.
func TestSurgeWhenNodesChange(t *testing.T) {
	p := running(rolling("0", "1"), 6)
	for i := range 2 {
		p.Places[i+2].verdict = verdict{}
	}
	p.expect(t, [2]int{4, 0})
	p.ready()
	for i := range 2 {
		p.Places[i].verdict = verdict{Keep: true}
		p.Places[i+2].verdict = verdict{Run: true, Keep: true}
	}
	p.Hash = "2"
	p.expect(t, [2]int{2, 0}, [2]int{1, 0}, [2]int{0, 0})
	if all, _ := p.pods(); all != 7 {
		t.Errorf("%d pods while the new ones are not ready, want 7", all)
	}
	for range 6 {
		p.ready()
		p.turn(t)
	}
	if all, updated := p.pods(); all != 4 || updated != 4 {
		t.Errorf("%d of %d pods are new, want 4 of 4", updated, all)
	}
}
