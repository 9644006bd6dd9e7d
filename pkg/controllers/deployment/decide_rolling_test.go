// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
)

// after is shrinkOld without a server.
func after(d *appsv1.Deployment, s *sets) (olds []int32) {
	if budget := dispensable(d, s); budget > 0 {
		steps, sure := dropUnhealthy(s.old, budget)
		apply(s, steps)
		if sure {
			apply(s, dropSurplus(d, s))
		}
	}
	for _, rs := range s.old {
		olds = append(olds, size(rs))
	}
	return olds
}

func apply(s *sets, steps []resize) {
	for _, step := range steps {
		rs := step.rs.DeepCopy()
		rs.Spec.Replicas = &step.to
		s.replace(rs)
	}
}

func TestShrinkOld(t *testing.T) {
	for name, tc := range map[string]struct {
		d       *appsv1.Deployment
		current *appsv1.ReplicaSet
		old     []*appsv1.ReplicaSet
		want    []int32
	}{
		"as many as may be missing": {
			rolling(10, 0, 2), replicaSet(9, 0, 0), []*appsv1.ReplicaSet{replicaSet(1, 10, 10)}, []int32{8},
		},
		"the unhealthy ones first": {
			rolling(10, 0, 2), replicaSet(9, 0, 0), []*appsv1.ReplicaSet{replicaSet(1, 10, 8)}, []int32{8},
		},
		"none while new ones are missing": {
			rolling(10, 0, 2), replicaSet(9, 2, 0), []*appsv1.ReplicaSet{replicaSet(1, 8, 8)}, []int32{8},
		},
		"one when neither more nor less is allowed": {
			rolling(10, 0, 0), replicaSet(9, 0, 0), []*appsv1.ReplicaSet{replicaSet(1, 10, 10)}, []int32{9},
		},
		"unhealthy of all, then healthy of the oldest": {
			rolling(10, 2, 2), replicaSet(9, 4, 4), []*appsv1.ReplicaSet{replicaSet(1, 4, 3), replicaSet(2, 4, 3)}, []int32{1, 3},
		},
		"over several": {
			rolling(4, 4, 0), replicaSet(9, 4, 4), []*appsv1.ReplicaSet{replicaSet(1, 2, 2), replicaSet(2, 2, 2)}, []int32{0, 0},
		},
		"no old ones": {
			rolling(10, 0, 2), replicaSet(9, 10, 10), []*appsv1.ReplicaSet{replicaSet(1, 0, 0)}, []int32{0},
		},
		// The 10 available are from before it was shrunk to 8.
		"none while a status is behind": {
			rolling(10, 2, 0), replicaSet(9, 4, 4), []*appsv1.ReplicaSet{replicaSet(1, 8, 10)}, []int32{8},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, after(tc.d, &sets{current: tc.current, old: tc.old})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDropUnhealthy(t *testing.T) {
	for _, tc := range []struct {
		size, available, budget, want int32
	}{
		{10, 8, 1, 1}, {10, 8, 3, 2}, {10, 8, 0, 0}, {10, 10, 5, 0}, {10, 0, 10, 10},
	} {
		steps, sure := dropUnhealthy([]*appsv1.ReplicaSet{replicaSet(1, tc.size, tc.available)}, tc.budget)
		var got int32
		for _, step := range steps {
			got += size(step.rs) - step.to
		}
		if got != tc.want || !sure {
			t.Errorf("%+v: got %d, sure: %t", tc, got, sure)
		}
	}
}

// FuzzShrinkOld proves the promise of the strategy: no step takes the available
// pods below the minimum.
func FuzzShrinkOld(f *testing.F) {
	f.Add(uint8(10), uint8(2), uint8(2), uint8(2), uint8(1), uint8(5), uint8(5), uint8(4), uint8(3))
	f.Add(uint8(3), uint8(1), uint8(0), uint8(1), uint8(1), uint8(3), uint8(3), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, desired, surge, unavailable, current, currentUp, a, aUp, b, bUp uint8) {
		d := rolling(int32(desired), int32(surge), int32(unavailable))
		s := &sets{
			current: replicaSet(9, int32(current), int32(min(current, currentUp))),
			old:     []*appsv1.ReplicaSet{replicaSet(1, int32(a), int32(min(a, aUp))), replicaSet(2, int32(b), int32(min(b, bUp)))},
		}
		before := sum(s.all(), available)
		old := []*appsv1.ReplicaSet{s.old[0], s.old[1]}
		left := available(s.current)
		for i, n := range after(d, s) {
			if n < 0 || n > size(old[i]) {
				t.Fatalf("from %d to %d", size(old[i]), n)
			}
			left += min(available(old[i]), n) // pods that are not available go first
		}
		if left < min(before, minAvailable(d)) {
			t.Errorf("%d available of %d, at least %d", left, before, minAvailable(d))
		}
	})
}
