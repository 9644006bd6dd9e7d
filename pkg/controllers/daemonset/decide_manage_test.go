// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestManage(t *testing.T) {
	keep := func(p place) place {
		p.Run = false
		return p
	}
	refuse := func(p place) place {
		p.verdict = verdict{}
		return p
	}
	gone := func(p place) place {
		p.verdict, p.Gone = verdict{}, true
		return p
	}
	plain, surging := rolling("1", ""), rolling("0", "1")
	surging.Spec.MinReadySeconds = 10
	onDelete := rolling("0", "1")
	onDelete.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
	for _, tc := range []struct {
		name  string
		set   *appsv1.DaemonSet
		place place
		waits time.Duration
		want  outcome
	}{
		{name: "empty", set: plain, place: at("n"), want: outcome{Create: []string{"n"}}},
		{name: "empty and not eligible", set: plain, place: keep(at("n"))},
		{name: "a terminating pod is waited for", set: plain, place: at("n", pod("a", current, on("n"), leaving))},
		{name: "surge does not wait", set: surging, place: at("n", pod("a", former, on("n"), leaving)), want: outcome{Create: []string{"n"}}},
		{name: "surge on a node that only keeps", set: surging, place: keep(at("n", pod("a", former, on("n"), leaving)))},
		{name: "keeps", set: plain, place: keep(at("n", pod("a", current, on("n"))))},
		{name: "refused", set: plain, place: refuse(at("n", pod("a", current, on("n")), pod("b", current, on("n"), leaving), pod("c", current, on("n"), phase(corev1.PodFailed)))),
			want: outcome{Delete: []string{"a", "c"}}},
		{name: "failed", set: plain, place: at("n", pod("a", current, on("n"), phase(corev1.PodFailed))), want: outcome{Failed: []string{"a"}}},
		{name: "failed again", set: plain, place: at("n", pod("a", current, on("n"), phase(corev1.PodFailed))), waits: time.Second,
			want: outcome{Retry: time.Second}},
		{name: "two failed", set: plain, place: at("n", pod("a", current, on("n"), phase(corev1.PodFailed)), pod("b", current, on("n"), phase(corev1.PodFailed))),
			want: outcome{Failed: []string{"a"}}},
		{name: "succeeded", set: plain, place: at("n", pod("a", current, on("n"), phase(corev1.PodSucceeded))), waits: time.Second,
			want: outcome{Succeeded: []string{"a"}}},
		{name: "failed beside a running one", set: plain, place: at("n", pod("a", current, on("n"), phase(corev1.PodFailed)), pod("b", current, on("n"))),
			want: outcome{Failed: []string{"a"}}},
		{name: "too many", set: plain, place: at("n", pod("young", current, on("n"), old(time.Minute)), pod("first", former, on("n")), pod("unbound", current, old(2*time.Hour))),
			want: outcome{Delete: []string{"young", "unbound"}}},
		{name: "surge counts only for rolling updates", set: onDelete, place: at("n", pod("a", current, on("n"), old(time.Minute)), pod("b", former, on("n"), ready(time.Hour))),
			want: outcome{Delete: []string{"a"}}},
		{name: "surge, one of each", set: surging, place: at("n", pod("a", current, on("n")), pod("b", former, on("n"), ready(time.Hour)))},
		{name: "surge, the new one is ready but not yet available", set: surging,
			place: at("n", pod("a", current, on("n"), ready(9*time.Second)), pod("b", former, on("n"), ready(time.Hour)))},
		{name: "surge, the new one is available", set: surging,
			place: at("n", pod("a", current, on("n"), ready(10*time.Second)), pod("b", former, on("n"), ready(time.Hour))),
			want:  outcome{Delete: []string{"b"}}},
		{name: "surge, the old one serves nobody", set: surging, place: at("n", pod("a", current, on("n")), pod("b", former, on("n"))),
			want: outcome{Delete: []string{"b"}}},
		{name: "surge, two of each", set: surging, place: at("n",
			pod("n1", current, on("n"), old(3*time.Minute)), pod("n2", current, on("n"), old(2*time.Minute)),
			pod("o1", former, on("n"), ready(time.Hour)), pod("o2", former, on("n"), old(time.Minute), ready(time.Hour))),
			want: outcome{Delete: []string{"n2", "o2"}}},
		{name: "surge, two new ones", set: surging, place: at("n", pod("a", current, on("n")), pod("b", current, on("n"))),
			want: outcome{Delete: []string{"b"}}},
		{name: "surge, failed and waiting", set: surging, place: at("n", pod("a", current, on("n"), phase(corev1.PodFailed))), waits: time.Second,
			want: outcome{Create: []string{"n"}, Retry: time.Second}},
		{name: "the node is gone", set: plain, place: gone(at("n", pod("bound", current, on("n")), pod("never", current, pinned("n")), pod("leaving", current, leaving))),
			want: outcome{Delete: []string{"never"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := view{Set: tc.set, Hash: current, Now: instant(), Places: []place{tc.place}}
			got := outcomeOf(v.manage(func(string) time.Duration { return tc.waits }))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRetryIsTheSoonest(t *testing.T) {
	v := view{Set: rolling("1", ""), Hash: current, Now: instant()}
	waits := map[string]time.Duration{"a": 4 * time.Second, "b": 2 * time.Second, "c": 8 * time.Second}
	for node := range waits {
		v.Places = append(v.Places, at(node, pod(node, current, on(node), phase(corev1.PodFailed))))
	}
	if got := v.manage(func(node string) time.Duration { return waits[node] }); got.Retry != 2*time.Second || !got.empty() {
		t.Errorf("got %+v", outcomeOf(got))
	}
}

func TestBurst(t *testing.T) {
	v := view{Set: rolling("1", ""), Hash: current, Now: instant()}
	for i := range 300 {
		full := at(fmt.Sprint("full-", i), pod(fmt.Sprint(i), current))
		full.verdict = verdict{}
		v.Places = append(v.Places, at(fmt.Sprint("empty-", i)), full)
	}
	p := v.manage(func(string) time.Duration { return 0 })
	if len(p.Create) != 300 || len(p.Delete) != 300 {
		t.Errorf("%d and %d of 300", len(p.Create), len(p.Delete))
	}
	if p = p.limited(); len(p.Create) != 250 || len(p.Delete) != 250 {
		t.Errorf("%d and %d, want 250", len(p.Create), len(p.Delete))
	}
}
