// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"math"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func TestFenceposts(t *testing.T) {
	pct := func(s string) *intstr.IntOrString { return ptr.To(intstr.FromString(s)) }
	num := func(n int32) *intstr.IntOrString { return ptr.To(intstr.FromInt32(n)) }
	for _, tc := range []struct {
		surge, unavailable *intstr.IntOrString
		desired            int32
		above, lacking     int32
	}{
		{pct("39%"), pct("39%"), 10, 4, 3},
		{pct("0%"), pct("0%"), 10, 0, 1},
		{nil, pct("39%"), 10, 0, 3},
		{pct("39%"), nil, 10, 4, 0},
		{nil, nil, 10, 0, 1},
		{num(3), num(2), 10, 3, 2},
		{num(0), num(0), 10, 0, 1},
		{pct("25%"), pct("25%"), 1, 1, 0},
		{pct("1%"), pct("1%"), 1, 1, 0},
		{pct("100%"), pct("100%"), 0, 0, 1},
		{pct("many"), num(1), 10, 0, 1},
	} {
		above, lacking := fenceposts(tc.surge, tc.unavailable, tc.desired)
		if above != tc.above || lacking != tc.lacking {
			t.Errorf("surge %v, unavailable %v of %d: got %d, %d, want %d, %d", tc.surge, tc.unavailable, tc.desired, above, lacking, tc.above, tc.lacking)
		}
	}
}

func TestMaxUnavailable(t *testing.T) {
	for _, tc := range []struct {
		d    *appsv1.Deployment
		want int32
	}{
		{rolling(10, 1, 5), 5},
		{rolling(3, 1, 5), 3},
		{rolling(0, 1, 5), 0},
		{rolling(5, 0, 0), 1},
		{rolling(5, 1, 2, recreated), 0},
	} {
		if got := maxUnavailable(tc.d); got != tc.want {
			t.Errorf("%s of %d: got %d, want %d", tc.d.Spec.Strategy.Type, desired(tc.d), got, tc.want)
		}
	}
	if got := maxSurge(rolling(5, 1, 2, recreated)); got != 0 {
		t.Errorf("Recreate surges by %d", got)
	}
	bare := rolling(5, 0, 0, func(d *appsv1.Deployment) { d.Spec.Strategy.RollingUpdate = nil })
	if maxSurge(bare) != 0 || maxUnavailable(bare) != 1 {
		t.Errorf("without numbers: surge %d, unavailable %d", maxSurge(bare), maxUnavailable(bare))
	}
}

func recreated(d *appsv1.Deployment) {
	d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
}

func TestNextSize(t *testing.T) {
	for _, tc := range []struct {
		desired, surge int32
		current, old   int32
		want           int32
	}{
		{10, 2, 0, 10, 2},
		{10, 2, 0, 5, 7},
		{10, 2, 2, 10, 2},
		{10, 2, 11, 2, 10},
		{10, 0, 0, 10, 0},
		{10, 2, 10, 5, 10},
		{10, 2, 3, 12, 3},
		{10, 0, 0, 0, 10},
		{0, 0, 4, 0, 0},
	} {
		s := &sets{current: replicaSet(2, tc.current, 0), old: []*appsv1.ReplicaSet{replicaSet(1, tc.old, 0)}}
		if got := nextSize(rolling(tc.desired, tc.surge, 0), s); got != tc.want {
			t.Errorf("%+v: got %d", tc, got)
		}
	}
	if got := grown(rolling(10, 2, 0, recreated), 0, 10); got != 10 {
		t.Errorf("Recreate grows to %d, want 10", got)
	}
}

func FuzzGrown(f *testing.F) {
	f.Add(int32(10), int32(2), int32(0), int32(10))
	f.Add(int32(math.MaxInt32), int32(math.MaxInt32), int32(1), int32(1))
	f.Fuzz(func(t *testing.T, desired, surge, size, others int32) {
		if desired < 0 || surge < 0 || size < 0 || others < 0 || size > desired || others > math.MaxInt32-size {
			return
		}
		got := grown(rolling(desired, surge, 0), size, size+others)
		if got < size || got > desired {
			t.Errorf("from %d to %d, desired %d", size, got, desired)
		}
		if total := int64(got) + int64(others); got > size && total > int64(desired)+int64(surge) {
			t.Errorf("%d pods, at most %d and %d", total, desired, surge)
		}
	})
}
