// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// id is the identity of "ns/name", or of "name" in no namespace; its UID is the
// name, its kind A.
func id(key string) identity {
	ns, name, found := strings.Cut(key, "/")
	if !found {
		ns, name = "", key
	}
	return identity{apiVersion: "v1", kind: "A", namespace: ns, name: name, uid: types.UID(name)}
}

// to refers to an owner of that name.
func to(name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "A", Name: name, UID: types.UID(name)}
}

// as refers to an owner of that kind by another's UID.
func as(kind string, ref metav1.OwnerReference) metav1.OwnerReference {
	ref.Kind = kind
	return ref
}

func see(key string, owners ...metav1.OwnerReference) *seen {
	return &seen{identity: id(key), owners: owners}
}

func (s *seen) deleting(before, now deletion) *seen {
	s.beingDeleted, s.before, s.now = true, before, now
	return s
}

func absentAs(kind, key string) *absence {
	i := id(key)
	i.kind = kind
	return &absence{i}
}

// reaction is effects in an order.
type reaction struct {
	Check, Recheck, Orphan []string
	Misplaced              []string
}

func react(e *effects) reaction {
	text := func(uids []types.UID) (list []string) {
		for _, uid := range uids {
			list = append(list, string(uid))
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	r := reaction{Check: text(e.check), Recheck: text(e.recheck), Orphan: text(e.orphan)}
	for _, m := range e.misplaced {
		r.Misplaced = append(r.Misplaced, m.child.name+">"+m.owner.Name)
	}
	slices.Sort(r.Misplaced)
	return r
}

func TestGraph(t *testing.T) {
	foreground, orphans := deletion{foreground: true}, deletion{orphans: true}
	for name, test := range map[string]struct {
		before []change
		last   change
		want   reaction
		nodes  string // all that are left, virtual ones in brackets
	}{
		"an object without owners": {last: see("n/a"), nodes: "a"},
		"an unknown owner": {
			last: see("n/b", to("a")),
			want: reaction{Check: []string{"a"}}, nodes: "(a) b",
		},
		"a known owner": {
			before: []change{see("n/a")}, last: see("n/b", to("a")), nodes: "a b",
		},
		"the owner comes later": {
			before: []change{see("n/b", to("a"))}, last: see("n/a"), nodes: "a b",
		},
		"a cluster-scoped owner comes later": {
			before: []change{see("n/b", to("a")), see("m/c", to("a"))}, last: see("a"), nodes: "a b c",
		},
		"the owner comes later, in another namespace": {
			before: []change{see("n/b", to("a")), see("m/c", to("a"))}, last: see("m/a"),
			want: reaction{Check: []string{"b"}, Misplaced: []string{"b>a"}}, nodes: "a b c",
		},
		"the owner comes later, of another kind": {
			before: []change{see("n/b", as("B", to("a"))), see("n/c", to("a"))}, last: see("n/a"),
			want: reaction{Check: []string{"b"}}, nodes: "a b c",
		},
		"an owner in another namespace": {
			before: []change{see("m/a")}, last: see("n/b", to("a")),
			want: reaction{Check: []string{"b"}, Misplaced: []string{"b>a"}}, nodes: "a b",
		},
		"an owner that others say is in another namespace": {
			before: []change{see("m/c", to("a"))}, last: see("n/b", to("a")),
			want: reaction{Check: []string{"b"}}, nodes: "(a) b c",
		},
		"a cluster-scoped child of an owner in a namespace": {
			before: []change{see("n/a")}, last: see("b", to("a")),
			want: reaction{Check: []string{"b"}, Misplaced: []string{"b>a"}}, nodes: "a b",
		},
		"an owner that only a cluster-scoped object named": {
			before: []change{see("b", to("a"))}, last: see("n/c", to("a")),
			want: reaction{Check: []string{"c"}}, nodes: "(a) b c",
		},
		"an owner of another kind": {
			before: []change{see("n/a")}, last: see("n/b", as("B", to("a"))),
			want: reaction{Check: []string{"b"}}, nodes: "a b",
		},
		"only the first misfit counts": {
			before: []change{see("m/a"), see("m/b")}, last: see("n/c", to("a"), to("b")),
			want: reaction{Check: []string{"c"}, Misplaced: []string{"c>a"}}, nodes: "a b c",
		},
		"an owner is added": {
			before: []change{see("n/a"), see("n/b")}, last: see("n/b", to("a"), to("c")),
			want: reaction{Check: []string{"c"}}, nodes: "a b (c)",
		},
		"an owner is renamed": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/b", as("B", to("a"))),
			want: reaction{Check: []string{"b"}}, nodes: "a b",
		},
		"an owner is removed": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/b"), nodes: "a b",
		},
		"the last reference to an unknown owner is removed": {
			before: []change{see("n/b", to("a"))}, last: see("n/b"), nodes: "b",
		},
		"a blocking reference is removed": {
			before: []change{see("n/a"), see("n/b", blocking(to("a")))}, last: see("n/b"),
			want: reaction{Check: []string{"a"}}, nodes: "a b",
		},
		"a reference ceases to block": {
			before: []change{see("n/a"), see("n/b", blocking(to("a")))}, last: see("n/b", to("a")),
			want: reaction{Check: []string{"a"}}, nodes: "a b",
		},
		"a reference begins to block": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/b", blocking(to("a"))), nodes: "a b",
		},
		"deleted, dependents": {
			before: []change{see("n/a"), see("n/b", to("a")), see("n/c", to("a"))}, last: &gone{id("n/a")},
			want: reaction{Check: []string{"b", "c"}}, nodes: "b c",
		},
		"deleted, the owner lives": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: &gone{id("n/b")}, nodes: "a",
		},
		"deleted, the owner waits": {
			before: []change{see("n/a"), see("n/b", to("a")), see("n/a").deleting(deletion{}, foreground)}, last: &gone{id("n/b")},
			want: reaction{Check: []string{"a"}}, nodes: "a",
		},
		"deleted, unknown":         {before: []change{see("n/a")}, last: &gone{id("n/b")}, nodes: "a"},
		"deleted, it owns itself":  {before: []change{see("n/a", to("a"))}, last: &gone{id("n/a")}, want: reaction{Check: []string{"a"}}},
		"deleted, nobody saw it":   {before: []change{see("n/b", to("a"))}, last: &gone{id("n/a")}, want: reaction{Check: []string{"b"}}, nodes: "b"},
		"being deleted":            {before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/a").deleting(deletion{}, deletion{}), nodes: "a b"},
		"foreground deletion, new": {last: see("n/a").deleting(deletion{}, foreground), want: reaction{Check: []string{"a"}}, nodes: "a"},
		"orphaning, new":           {last: see("n/a").deleting(deletion{}, orphans), want: reaction{Orphan: []string{"a"}}, nodes: "a"},
		"both":                     {last: see("n/a").deleting(deletion{}, deletion{true, true}), want: reaction{Orphan: []string{"a"}}, nodes: "a"},
		"orphaning goes on":        {before: []change{see("n/a")}, last: see("n/a").deleting(orphans, orphans), nodes: "a"},
		"foreground deletion goes on": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/a").deleting(foreground, foreground), nodes: "a b",
		},
		"foreground deletion begins": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: see("n/a").deleting(deletion{}, foreground),
			want: reaction{Check: []string{"a", "b"}}, nodes: "a b",
		},

		"absent": {
			before: []change{see("n/b", to("a")), see("n/c", to("a"))}, last: absentAs("A", "n/a"),
			want: reaction{Check: []string{"b", "c"}}, nodes: "b c",
		},
		"absent, unknown": {last: absentAs("A", "n/a")},
		"absent, but others mean another kind": {
			before: []change{see("n/b", to("a")), see("n/c", as("B", to("a")))}, last: absentAs("A", "n/a"),
			want: reaction{Check: []string{"b"}, Recheck: []string{"a"}}, nodes: "(a as B in n) b c",
		},
		"absent, but others mean another namespace": {
			before: []change{see("n/b", to("a")), see("m/c", to("a"))}, last: absentAs("A", "n/a"),
			want: reaction{Check: []string{"b"}, Recheck: []string{"a"}}, nodes: "(a in m) b c",
		},
		"absent, the next meaning is after it in the order": {
			before: []change{see("n/b", as("B", to("a"))), see("n/c", as("C", to("a"))), see("n/d", to("a"))}, last: absentAs("B", "n/a"),
			want: reaction{Check: []string{"b"}, Recheck: []string{"a"}}, nodes: "(a as C in n) b c d",
		},
		"absent, the next meaning is the first": {
			before: []change{see("n/c", as("C", to("a"))), see("n/b", as("B", to("a"))), see("n/d", to("a"))}, last: absentAs("C", "n/a"),
			want: reaction{Check: []string{"c"}, Recheck: []string{"a"}}, nodes: "(a in n) b c d",
		},
		"absent in every meaning": {
			before: []change{see("n/b", to("a")), see("n/c", as("B", to("a"))), absentAs("A", "n/a")}, last: absentAs("B", "n/a"),
			want: reaction{Check: []string{"b", "c"}}, nodes: "b c",
		},
		"absent in a meaning that is not the current one": {
			before: []change{see("n/b", to("a")), see("n/c", as("B", to("a")))}, last: absentAs("B", "n/a"),
			want: reaction{Check: []string{"c"}}, nodes: "(a in n) b c",
		},
		"absent, but seen meanwhile as another": {
			before: []change{see("n/b", to("a")), see("n/c", as("B", to("a"))), see("n/a")}, last: absentAs("B", "n/a"),
			want: reaction{Check: []string{"c"}}, nodes: "a b c",
		},
		"absent, although seen": {
			before: []change{see("n/a"), see("n/b", to("a"))}, last: absentAs("A", "n/a"),
			want: reaction{Check: []string{"b"}}, nodes: "b",
		},

		"not served any more, no dependents": {
			before: []change{see("n/a")}, last: &unserved{"v1", "A"},
		},
		"not served any more, another kind": {
			before: []change{see("n/a")}, last: &unserved{"v1", "B"}, nodes: "a",
		},
		"not served any more, a waiting owner of another kind": {
			before: []change{
				&seen{identity: identity{"v1", "B", "n", "a", "a"}}, see("n/b", as("B", to("a"))),
				(&seen{identity: identity{"v1", "B", "n", "a", "a"}}).deleting(deletion{}, foreground),
			},
			last: &unserved{"v1", "A"},
			want: reaction{Check: []string{"a"}}, nodes: "a",
		},
		"not served any more, dependents of another kind": {
			before: []change{&seen{identity: identity{"v1", "B", "n", "a", "a"}}, see("n/b", as("B", to("a")))}, last: &unserved{"v1", "B"},
			want: reaction{Check: []string{"a"}}, nodes: "(a as B in n) b",
		},
		"served in another version": {
			before: []change{see("n/a"), see("n/b", to("a")), &seen{identity: identity{"v2", "A", "n", "a", "a"}}, &seen{identity: identity{"v2", "A", "n", "b", "b"}, owners: []metav1.OwnerReference{to("a")}}},
			last:   &unserved{"v1", "A"}, nodes: "a b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGraph()
			for _, c := range test.before {
				g.apply(c)
				sound(t, g)
			}
			e := g.apply(test.last)
			sound(t, g)
			if diff := cmp.Diff(test.want, react(e)); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
			if got := nodes(g, strings.Contains(test.nodes, " in ")); got != test.nodes {
				t.Errorf("nodes are %q, want %q", got, test.nodes)
			}
		})
	}
}

func nodes(g *graph, verbose bool) string {
	var list []string
	for uid, n := range g.nodes {
		text := string(uid)
		if n.virtual && verbose {
			if n.kind != "A" {
				text += " as " + n.kind
			}
			text += " in " + n.namespace
		}
		if n.virtual {
			text = "(" + text + ")"
		}
		list = append(list, text)
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(strings.Trim(a, "()"), strings.Trim(b, "()")) })
	return strings.Join(list, " ")
}

// sound checks what is true of every graph.
func sound(t testing.TB, g *graph) {
	t.Helper()
	for uid, n := range g.nodes {
		if n.uid != uid {
			t.Errorf("node %s is filed as %s", n.identity, uid)
		}
		if n.virtual && (len(n.owners) > 0 || len(n.dependents) == 0 || n.beingDeleted || n.deletingDependents) {
			t.Errorf("virtual node %s has owners %v, %d dependents", n.identity, n.owners, len(n.dependents))
		}
		for d, child := range n.dependents {
			refers := slices.ContainsFunc(child.owners, func(r metav1.OwnerReference) bool { return r.UID == uid })
			if g.nodes[d] != child || !refers {
				t.Errorf("node %s has the dependent %s, which is gone or owned by %v", n.identity, child.identity, child.owners)
			}
		}
	}
}

func TestAbsentOwners(t *testing.T) {
	g := newGraph()
	for _, c := range []change{
		see("n/a"), see("n/b", to("a")), &gone{id("n/a")}, // in a namespace
		see("c"), see("n/d", to("c")), &gone{id("c")}, // cluster-scoped
		see("n/e"), &gone{id("n/e")}, // nobody's owner
		see("n/f", to("g"), as("B", to("g"))), absentAs("A", "n/g"),
	} {
		g.apply(c)
	}
	for _, test := range []struct {
		ref       metav1.OwnerReference
		namespace string
		want      bool
	}{
		{to("a"), "n", true},
		{to("a"), "m", false},
		{to("a"), "", false},
		{as("B", to("a")), "n", false},
		{to("c"), "n", true},
		{to("c"), "", true},
		{to("e"), "n", false},
		{to("g"), "n", true},
		{as("B", to("g")), "n", false},
	} {
		if got := g.knownAbsent(test.ref, test.namespace); got != test.want {
			t.Errorf("%s %s in %q is known to be absent: %v, want %v", test.ref.Kind, test.ref.Name, test.namespace, got, test.want)
		}
	}
}

// Whatever happens in whatever order, the graph stays sound, and nothing but the
// objects and what they refer to is left in it.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("what happens, happens"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		g := newGraph()
		names := []string{"n/a", "n/b", "m/c", "d"}
		pick := func(b byte) string { return names[b%4] }
		bare := func(key string) string { return key[strings.Index(key, "/")+1:] }
		for ; len(steps) >= 3; steps = steps[3:] {
			what, key, other := steps[0], pick(steps[1]), bare(pick(steps[2]))
			kind := string('A' + rune(steps[2]/64)%2)
			var c change
			switch what % 8 {
			case 0, 1, 2:
				c = see(key, as(kind, to(other)), blocking(to(bare(pick(steps[2]/4)))))
			case 3:
				c = see(key).deleting(deletion{}, deletion{foreground: steps[2]%2 == 0, orphans: steps[2]%3 == 0})
			case 4:
				c = &gone{id(key)}
			case 5:
				c = absentAs(kind, key)
			case 6:
				c = absentAs(kind, "n/"+other)
			case 7:
				c = &unserved{"v1", kind}
			}
			g.apply(c)
			sound(t, g)
		}
		for _, key := range names {
			g.apply(&gone{id(key)})
			sound(t, g)
		}
		if len(g.nodes) > 0 {
			t.Errorf("nodes %s are left", nodes(g, true))
		}
	})
}
