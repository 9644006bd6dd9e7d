// SPDX-License-Identifier: Apache-2.0

package ranking_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
	"github.com/kube-live/kube-controller-manager/pkg/kube/ranking"
)

// podOf makes a pod of few bytes, from values so few that equal ones are common.
func podOf(uid types.UID, b [4]byte) *corev1.Pod {
	ages := []time.Duration{time.Second, 5 * time.Hour, 6 * time.Hour, 7 * time.Hour, 30 * time.Hour, -time.Hour}
	p := pod(uid,
		node([]string{"node-0", "node-0", "node-1", ""}[b[0]&3]),
		phase([]corev1.PodPhase{corev1.PodRunning, corev1.PodRunning, corev1.PodPending, corev1.PodUnknown}[b[0]>>2&3]),
		cost([]string{"0", "0", "5", "-5"}[b[0]>>4&3]),
		restarted(int32(b[1]&1)), initRestarted(true, int32(b[1]>>1&1)),
		created(ages[int(b[2])%len(ages)]),
		ready(ages[int(b[3])%len(ages)]))
	if b[1]>>2&3 == 0 {
		notReady(p)
	}
	if b[1]>>4&7 == 0 {
		readyAt(metav1.Time{})(p)
	}
	if b[1]>>4&7 == 1 {
		p.CreationTimestamp = metav1.Time{}
	}
	return p
}

// FuzzOrder proves that the order is one: it does not depend on how the pods are
// listed. Of two pods alone, the pairwise rules decide.
func FuzzOrder(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwx"), uint(3))
	f.Add([]byte{0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 2}, uint(1))
	f.Add([]byte{0, 20, 1, 1, 0, 21, 1, 1, 0, 20, 1, 2, 0, 20, 1, 3}, uint(2))
	f.Fuzz(func(t *testing.T, data []byte, shift uint) {
		c := ranking.Context{Now: noon, Costs: shift%2 == 0, Neighbours: map[string]int{"node-0": 1, "node-1": 2}}
		var pods []*corev1.Pod
		for i := 0; len(data) >= 4 && i < 64; i++ {
			// UIDs must be unlike the order of the list.
			uid := types.UID(fmt.Sprintf("%02d", (i*37+int(shift%64))%64))
			pods = append(pods, podOf(uid, [4]byte(data)))
			data = data[4:]
		}
		want := ranking.DeleteFirst(pods, c)
		other := slices.Clone(pods)
		slices.Reverse(other)
		if n := len(other); n > 0 {
			k := int(shift % uint(n))
			other = append(other[k:], other[:k]...)
		}
		if got := ranking.DeleteFirst(other, c); !slices.Equal(want, got) {
			t.Errorf("the order depends on the list: %v and %v", uids(want), uids(got))
		}
		for i := 1; i < len(pods); i++ {
			a, b := pods[i-1], pods[i]
			order := pairwise(a, b, c)
			first := ranking.DeleteFirst([]*corev1.Pod{a, b}, c)[0]
			if order < 0 && first != a || order > 0 && first != b {
				t.Errorf("%s and %s compare as %d, but %s goes first", a.UID, b.UID, order, first.UID)
			}
		}
	})
}

// pairwise is the list of rules as it is written down, for two pods.
func pairwise(a, b *corev1.Pod, c ranking.Context) int {
	first := func(a, b bool) int { // the one for which it holds
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	}
	phases := map[corev1.PodPhase]int{corev1.PodUnknown: 1, corev1.PodRunning: 2}
	sinceA, readyA := podstate.ReadySince(a)
	sinceB, readyB := podstate.ReadySince(b)
	rules := []func() int{
		func() int { return first(a.Spec.NodeName == "", b.Spec.NodeName == "") },
		func() int { return phases[a.Status.Phase] - phases[b.Status.Phase] },
		func() int { return first(!readyA, !readyB) },
		func() int {
			if !c.Costs {
				return 0
			}
			return int(ranking.Cost(a)) - int(ranking.Cost(b))
		},
		func() int { return c.Neighbours[b.Spec.NodeName] - c.Neighbours[a.Spec.NodeName] },
		func() int {
			if !readyA || !readyB {
				return 0
			}
			return younger(a, b, sinceA, sinceB, c.Now)
		},
		func() int {
			return int(b.Status.ContainerStatuses[0].RestartCount - a.Status.ContainerStatuses[0].RestartCount)
		},
		func() int {
			return int(b.Status.InitContainerStatuses[0].RestartCount - a.Status.InitContainerStatuses[0].RestartCount)
		},
		func() int { return younger(a, b, a.CreationTimestamp.Time, b.CreationTimestamp.Time, c.Now) },
	}
	for _, rule := range rules {
		if order := rule(); order != 0 {
			return order
		}
	}
	return 0
}

func younger(a, b *corev1.Pod, ta, tb, now time.Time) int {
	switch {
	case ta.Equal(tb):
		return 0
	case ta.IsZero():
		return -1
	case tb.IsZero():
		return 1
	}
	log := func(t time.Time) int {
		if d := now.Sub(t); d > 0 {
			return int(math.Floor(math.Log2(float64(d))))
		}
		return -1
	}
	if log(ta) != log(tb) {
		return log(ta) - log(tb)
	}
	if a.UID < b.UID {
		return -1
	}
	return 1
}
