// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func lengths(all []corev1.EndpointSubset) (ready, notReady []int) {
	for _, s := range all {
		ready, notReady = append(ready, len(s.Addresses)), append(notReady, len(s.NotReadyAddresses))
	}
	return ready, notReady
}

func TestWithinCapacity(t *testing.T) {
	for _, test := range []struct {
		name                    string
		ready, notReady         []int
		wantReady, wantNotReady []int
		truncated               bool
	}{
		{"nothing", nil, nil, nil, nil, false},
		{"full", []int{1000}, []int{0}, []int{1000}, []int{0}, false},
		{"full of both", []int{400, 100}, []int{300, 200}, []int{400, 100}, []int{300, 200}, false},
		{"one too many", []int{1001}, []int{0}, []int{1000}, []int{0}, true},
		{"997 and 4", []int{997}, []int{4}, []int{997}, []int{3}, true},
		{"1000 and 10", []int{1000}, []int{10}, []int{1000}, []int{0}, true},
		{"those that are not ready have to go", []int{90, 110, 50, 10, 20}, []int{101, 200, 200, 201, 298},
			[]int{90, 110, 50, 10, 20}, []int{73, 144, 144, 145, 214}, true},
		{"ready ones have to go", []int{205, 400, 402, 400, 693}, []int{1, 2, 3, 4, 5},
			[]int{98, 191, 192, 191, 328}, []int{0, 0, 0, 0, 0}, true},
		{"a subset that loses all", []int{1000, 0, 0}, []int{0, 7, 0}, []int{1000}, []int{0}, true},
		{"a late subset gets nothing", []int{1999, 1}, []int{0, 0}, []int{1000}, []int{0}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []corev1.EndpointSubset
			for i := range test.ready {
				all = append(all, subset(test.ready[i], test.notReady[i]))
			}
			kept, truncated := withinCapacity(all)
			if truncated != test.truncated {
				t.Errorf("truncated: %v", truncated)
			}
			ready, notReady := lengths(kept)
			if diff := cmp.Diff([][]int{test.wantReady, test.wantNotReady}, [][]int{ready, notReady}); diff != "" {
				t.Error(diff)
			}
			before, _ := lengths(all)
			if diff := cmp.Diff(test.ready, before); diff != "" {
				t.Error("what was given changed:", diff)
			}
		})
	}
}

// FuzzWithinCapacity checks that the room is used: never more than the capacity is
// kept, never less than there is room for, and ready addresses come first.
func FuzzWithinCapacity(f *testing.F) {
	f.Add([]byte{10, 3, 0, 200, 77, 5})
	f.Add([]byte{255, 255, 255, 255, 255, 1, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 40 {
			return
		}
		var all []corev1.EndpointSubset
		for i := 0; i+1 < len(raw); i += 2 {
			all = append(all, subset(3*int(raw[i]), 3*int(raw[i+1])))
		}
		ready, notReady := lengths(all)
		kept, truncated := withinCapacity(all)
		keptReady, keptNotReady := lengths(kept)
		if want := sum(ready)+sum(notReady) > capacity; truncated != want {
			t.Errorf("truncated: %v", truncated)
		}
		if want := min(sum(ready), capacity); sum(keptReady) != want {
			t.Errorf("%d ready, want %d", sum(keptReady), want)
		}
		if want := min(sum(notReady), capacity-sum(keptReady)); sum(keptNotReady) != want {
			t.Errorf("%d not ready, want %d", sum(keptNotReady), want)
		}
	})
}
