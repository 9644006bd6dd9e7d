// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
)

func TestProportional(t *testing.T) {
	const none = -1
	for _, tc := range []struct {
		from, to             int32
		fromSurge, toSurge   int32
		before               []int32 // the current one's and the old ones', the youngest first
		currentNoneAvailable bool
		want                 []int32
	}{
		{from: 5, to: 10, before: []int32{2, 3}, want: []int32{4, 6}},
		{from: 5, to: 3, before: []int32{2, 3}, want: []int32{1, 2}},
		{from: 9, to: 4, before: []int32{8, 1}, want: []int32{4, 0}},
		{from: 7, to: 10, before: []int32{2, 3, 2}, want: []int32{3, 4, 3}},
		{from: 13, to: 8, before: []int32{2, 8, 3}, want: []int32{1, 5, 2}},
		{from: 3, to: 4, before: []int32{1, 1, 1}, want: []int32{2, 1, 1}},
		{from: 3, to: 2, before: []int32{1, 1, 1}, want: []int32{1, 1, 0}},
		{from: 4, to: 5, before: []int32{none, 2, 2}, want: []int32{none, 3, 2}},
		{from: 6, to: 0, before: []int32{none, 3, 2, 1}, want: []int32{none, 0, 0, 0}},
		{from: 10, to: 20, fromSurge: 2, toSurge: 2, before: []int32{6, 6}, want: []int32{11, 11}},
		{from: 10, to: 50, fromSurge: 3, toSurge: 6, before: []int32{5, 8}, want: []int32{22, 34}},
		{from: 10, to: 14, before: []int32{none, 7, 3}, want: []int32{none, 10, 4}},
		{from: 2, to: 2, fromSurge: 1, toSurge: 1, before: []int32{2, 1}, currentNoneAvailable: true, want: []int32{2, 1}},
	} {
		t.Run(fmt.Sprint(tc.from, " to ", tc.to, " as ", tc.before), func(t *testing.T) {
			marks := withMarks(nil, rolling(tc.from, tc.fromSurge, 0))
			s := &sets{}
			for i, n := range tc.before {
				rs := replicaSet(100-i, n, n)
				rs.Annotations = marks
				switch {
				case n == none:
				case i == 0:
					s.current = rs
				default:
					s.old = append([]*appsv1.ReplicaSet{rs}, s.old...)
				}
			}
			if tc.currentNoneAvailable {
				s.current.Status.AvailableReplicas = 0
			}
			d := rolling(tc.to, tc.toSurge, 0)
			steps := rescaled(d, s)
			if diff := cmp.Diff(tc.want, sizes(s, steps)); diff != "" {
				t.Error(diff)
			}
			if len(steps) != len(active(s.all())) {
				t.Errorf("%d steps: each active ReplicaSet is to be marked", len(steps))
			}
		})
	}
}

func TestFraction(t *testing.T) {
	for _, tc := range []struct {
		name     string
		d        *appsv1.Deployment
		existing int32
		size     int32
		max      string
		want     int64
	}{
		{name: "by the status", d: rolling(120, 0, 0), existing: 100, size: 50, want: 10},
		{name: "by the mark", d: rolling(120, 10, 0), existing: 100, size: 50, max: "110", want: 9},
		{name: "down by the mark", d: rolling(10, 0, 0), existing: 10, size: 6, max: "12", want: -1},
		{name: "down with surge", d: rolling(100, 10, 0), existing: 100, size: 50, max: "130", want: -8},
		{name: "nothing known", d: rolling(10, 0, 0), size: 5, want: 0},
		{name: "mark 0", d: rolling(120, 0, 0), existing: 100, size: 50, max: "0", want: 10},
		{name: "mark no number", d: rolling(120, 0, 0), existing: 100, size: 50, max: "x", want: 10},
		{name: "to nothing", d: rolling(0, 0, 0), existing: 100, size: 50, max: "110", want: -50},
		{name: "half up", d: rolling(3, 0, 0), size: 1, max: "2", want: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.d.Status.Replicas = tc.existing
			rs := replicaSet(1, tc.size, 0)
			if tc.max != "" {
				annotated(maxReplicasAnnotation, tc.max)(rs)
			}
			if got := fraction(tc.d, rs); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestRescaled(t *testing.T) {
	marked := func(n int) func(*appsv1.ReplicaSet) { return annotated(desiredReplicasAnnotation, fmt.Sprint(n)) }
	for name, tc := range map[string]struct {
		d       *appsv1.Deployment
		current *appsv1.ReplicaSet
		old     []*appsv1.ReplicaSet
		want    []resize
	}{
		"nothing there":                    {d: rolling(5, 0, 0)},
		"the only active one takes all":    {rolling(5, 0, 0), replicaSet(9, 0, 0), list(replicaSet(1, 3, 3)), []resize{{to: 5}}},
		"it has its size":                  {rolling(5, 0, 0), replicaSet(9, 0, 0), list(replicaSet(1, 5, 5)), nil},
		"it has its size and a stale mark": {rolling(5, 0, 0), replicaSet(9, 5, 5, marked(3)), nil, []resize{{to: 5}}},
		"none active, the current one":     {rolling(5, 0, 0), replicaSet(9, 0, 0), list(replicaSet(1, 0, 0)), []resize{{to: 5}}},
		"none active, the newest old one":  {rolling(5, 0, 0), nil, list(replicaSet(1, 0, 0), replicaSet(2, 0, 0)), []resize{{to: 5}}},
		"none active and none wanted":      {rolling(0, 0, 0), replicaSet(9, 0, 0, marked(3)), nil, nil},
		"saturated, the old ones go":       {rolling(5, 0, 0), replicaSet(9, 5, 5, marked(5)), list(replicaSet(1, 2, 2), replicaSet(2, 0, 0)), []resize{{to: 0}}},
		"Recreate ends the old ones":       {rolling(5, 0, 0, recreated), replicaSet(9, 2, 2), list(replicaSet(1, 2, 2)), []resize{{to: 0}}},
		"Recreate does not while paused":   {rolling(5, 0, 0, recreated, paused), replicaSet(9, 2, 2), list(replicaSet(1, 2, 2)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sets{current: tc.current, old: tc.old}
			got := rescaled(tc.d, s)
			if len(got) != len(tc.want) {
				t.Fatalf("got %d steps, want %d", len(got), len(tc.want))
			}
			for i := range got {
				if got[i].to != tc.want[i].to {
					t.Errorf("to %d, want %d", got[i].to, tc.want[i].to)
				}
			}
		})
	}
	latest := &sets{old: list(replicaSet(1, 0, 0), replicaSet(2, 0, 0))}
	if rs, only := activeOrLatest(latest); !only || rs.Name != "rs-2" {
		t.Errorf("got %v, want the newest", rs)
	}
}

func paused(d *appsv1.Deployment) { d.Spec.Paused = true }

func list(all ...*appsv1.ReplicaSet) []*appsv1.ReplicaSet { return all }

func TestWasScaled(t *testing.T) {
	for _, tc := range []struct {
		mark string
		size int32
		want bool
	}{
		{"3", 3, true}, {"5", 3, false}, {"", 3, false}, {"x", 3, false}, {"3", 0, false},
	} {
		s := &sets{old: list(replicaSet(1, tc.size, 0, annotated(desiredReplicasAnnotation, tc.mark)))}
		if got := wasScaled(rolling(5, 0, 0), s); got != tc.want {
			t.Errorf("mark %q, size %d: got %t", tc.mark, tc.size, got)
		}
	}
}

// FuzzProportional begins with sizes that fit the marks. The new ones are possible
// ones, and together as many as allowed.
func FuzzProportional(f *testing.F) {
	f.Add(int32(5), int32(10), int32(0), int32(2), int32(3), int32(1))
	f.Add(int32(math.MaxInt32), int32(math.MaxInt32), int32(0), int32(1), int32(1), int32(1))
	f.Fuzz(func(t *testing.T, from, to, surge, a, b, c int32) {
		before := int64(a) + int64(b) + int64(c)
		marked := int64(from) + int64(surge)
		if from < 0 || to < 0 || surge < 0 || min(a, b, c) < 1 || before > marked || marked > math.MaxInt32 {
			return
		}
		marks := withMarks(nil, rolling(from, surge, 0))
		all := list(replicaSet(1, a, a), replicaSet(2, b, b), replicaSet(3, c, c))
		for _, rs := range all {
			rs.Annotations = marks
		}
		d := rolling(to, surge, 0)
		var total int64
		for _, step := range proportional(d, all) {
			if step.to < 0 {
				t.Errorf("size %d", step.to)
			}
			total += int64(step.to)
		}
		switch allowed := maxReplicas(d); {
		case to == 0 && total != 0:
			t.Errorf("%d pods, want none", total)
		case to > 0 && allowed <= math.MaxInt32 && total != allowed:
			t.Errorf("from %d to %d pods, want %d", before, total, allowed)
		}
	})
}
