// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestDecide(t *testing.T) {
	const (
		background = metav1.DeletePropagationBackground
		foreground = metav1.DeletePropagationForeground
		orphan     = metav1.DeletePropagationOrphan
	)
	for name, test := range map[string]struct {
		standings     []standing
		finalizers    []string
		hasDependents bool
		cycle         bool
		want          verdict
	}{
		"no owners":                       {},
		"a solid owner":                   {standings: []standing{solid}},
		"solid owners":                    {standings: []standing{solid, solid}, hasDependents: true, cycle: true},
		"one is gone":                     {standings: []standing{solid, dangling}, want: verdict{remove: []types.UID{"b"}}},
		"one waits":                       {standings: []standing{waiting, solid}, want: verdict{remove: []types.UID{"a"}}},
		"one is gone, one waits":          {standings: []standing{waiting, solid, dangling}, want: verdict{remove: []types.UID{"a", "c"}}},
		"all are gone":                    {standings: []standing{dangling, dangling}, want: verdict{propagation: background}},
		"all are gone, dependents":        {standings: []standing{dangling}, hasDependents: true, cycle: true, want: verdict{propagation: background}},
		"it waits":                        {standings: []standing{waiting}, want: verdict{propagation: background}},
		"it waits, dependents":            {standings: []standing{dangling, waiting}, hasDependents: true, want: verdict{propagation: foreground}},
		"it waits, dependents of a cycle": {standings: []standing{waiting}, hasDependents: true, cycle: true, want: verdict{propagation: foreground, unblock: true}},
		"wants to orphan":                 {standings: []standing{dangling}, finalizers: []string{"x/y", "orphan"}, want: verdict{propagation: orphan}},
		"wants foreground":                {standings: []standing{dangling}, finalizers: []string{"foregroundDeletion"}, want: verdict{propagation: foreground}},
		"wants both":                      {standings: []standing{dangling}, finalizers: []string{"foregroundDeletion", "orphan"}, want: verdict{propagation: orphan}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &metav1.ObjectMeta{Finalizers: test.finalizers}
			for i := range test.standings {
				o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{UID: types.UID(rune('a' + i))})
			}
			got := decide(o, test.standings, test.hasDependents, func() bool { return test.cycle })
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStandingOfAnOwner(t *testing.T) {
	now := metav1.Now()
	for name, test := range map[string]struct {
		owner metav1.ObjectMeta
		want  standing
	}{
		"lives":                   {want: solid},
		"has the finalizer only":  {owner: metav1.ObjectMeta{Finalizers: []string{"foregroundDeletion"}}, want: solid},
		"is being deleted":        {owner: metav1.ObjectMeta{DeletionTimestamp: &now, Finalizers: []string{"x/y"}}, want: solid},
		"is being deleted so":     {owner: metav1.ObjectMeta{DeletionTimestamp: &now, Finalizers: []string{"foregroundDeletion"}}, want: waiting},
		"is orphaning dependents": {owner: metav1.ObjectMeta{DeletionTimestamp: &now, Finalizers: []string{"orphan"}}, want: solid},
	} {
		if got := standingOf(&test.owner); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

func TestRelease(t *testing.T) {
	blocker := func(uid types.UID, v view) dependent {
		v.uid = uid
		return dependent{view: v, blocks: true}
	}
	for name, test := range map[string]struct {
		dependents []dependent
		check      []types.UID
		free       bool
	}{
		"none":          {free: true},
		"none blocks":   {dependents: []dependent{{view: view{identity: identity{uid: "a"}}}}, free: true},
		"one blocks":    {dependents: []dependent{blocker("a", view{})}, check: []types.UID{"a"}},
		"one waits":     {dependents: []dependent{blocker("a", view{beingDeleted: true, deletingDependents: true})}},
		"one is going":  {dependents: []dependent{blocker("a", view{beingDeleted: true})}},
		"each in a way": {dependents: []dependent{blocker("a", view{}), blocker("b", view{beingDeleted: true}), blocker("c", view{})}, check: []types.UID{"a", "c"}},
	} {
		check, free := release(test.dependents)
		if diff := cmp.Diff(test.check, check); diff != "" || free != test.free {
			t.Errorf("%s: free %v; check (-want +got):\n%s", name, free, diff)
		}
	}
}

func TestWithout(t *testing.T) {
	refs := []metav1.OwnerReference{{UID: "a"}, {UID: "b"}, {UID: "a"}}
	for _, test := range []struct {
		owners []types.UID
		want   string
	}{
		{nil, `["a","b","a"]`},
		{[]types.UID{"a"}, `["b"]`},
		{[]types.UID{"a", "b"}, `null`}, // not [], which a merge patch keeps
	} {
		var uids []types.UID
		for _, ref := range without(refs, test.owners) {
			uids = append(uids, ref.UID)
		}
		if got := asJSON(uids); got != test.want {
			t.Errorf("without %v: got %s, want %s", test.owners, got, test.want)
		}
	}
}
