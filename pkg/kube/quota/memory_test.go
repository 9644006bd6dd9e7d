// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func numbered(i, version int, cpu string) *corev1.Pod {
	p := pod(container("cpu="+cpu, ""))
	p.UID, p.ResourceVersion = types.UID(fmt.Sprint(i)), fmt.Sprint(version)
	return p
}

func TestPodMemory(t *testing.T) {
	m := NewPodMemory()
	var list []*corev1.Pod
	e := Pods{PodRules: all(), In: func(string) []*corev1.Pod { return list }, Now: clock, Memory: m}
	used := func() string { return text(Calculate([]Evaluator{e}, "ns", names("cpu pods"), nil)) }
	expect := func(want string) {
		t.Helper()
		for range 2 {
			if got := used(); got != want {
				t.Errorf("%s used, want %s", got, want)
			}
		}
	}
	for i := range 3 * spare {
		list = append(list, numbered(i, 1, "1"))
	}
	expect("cpu=300 pods=300")
	list[0] = numbered(0, 2, "5")
	expect("cpu=304 pods=300")
	list[1].Status.Phase = corev1.PodSucceeded // what is charged is not remembered
	expect("cpu=303 pods=299")
	list = list[:2]
	expect("cpu=5 pods=1")
	if n := len(m.pages["ns"].pods); n != 2 {
		t.Errorf("%d pods are remembered", n)
	}
	list = append(list, numbered(500, 1, "7"), numbered(501, 1, "8"))
	expect("cpu=20 pods=3")
	m.Forget("ns")
	if len(m.pages) != 0 {
		t.Error("the namespace is remembered")
	}
	expect("cpu=20 pods=3")
}

// A count of objects alone does not look into pods.
func TestPodMemoryOfCounts(t *testing.T) {
	m := NewPodMemory()
	e := Pods{In: func(string) []*corev1.Pod { return []*corev1.Pod{numbered(1, 1, "1")} }, Now: clock, Memory: m}
	if got := text(Calculate([]Evaluator{e}, "ns", names("pods count/pods"), nil)); got != "count/pods=1 pods=1" {
		t.Error(got)
	}
	if n := len(m.pages["ns"].pods); n != 0 {
		t.Errorf("%d pods were looked into", n)
	}
}

func TestPodMemoryIsShared(t *testing.T) {
	m := NewPodMemory()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				list := []*corev1.Pod{numbered(1, j, "1"), numbered(2, 1, "1")}
				e := Pods{In: func(string) []*corev1.Pod { return list }, Now: clock, Memory: m}
				if got := text(Calculate([]Evaluator{e}, fmt.Sprint("ns", i%2), names("cpu"), nil)); got != "cpu=2" {
					t.Error(got)
				}
				if j%10 == 0 {
					m.Forget("ns1")
				}
			}
		})
	}
	wg.Wait()
}
