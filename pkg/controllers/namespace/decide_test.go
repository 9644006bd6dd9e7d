// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func served(groupVersion string, resources ...metav1.APIResource) *metav1.APIResourceList {
	return &metav1.APIResourceList{GroupVersion: groupVersion, APIResources: resources}
}

func resource(name string, verbs ...string) metav1.APIResource {
	return metav1.APIResource{Name: name, Namespaced: true, Verbs: verbs}
}

func TestDeletable(t *testing.T) {
	kinds, err := deletable([]*metav1.APIResourceList{
		served("v1", resource("pods", "list", "delete", "deletecollection"), resource("bindings", "create")),
		served("apps/v1", resource("deployments", "list", "delete")),
		served("example.com/v2", resource("things", "delete", "deletecollection"), resource("others", "delete")),
		served("not/a/version", resource("ignored", "list")),
	})
	want := []kind{
		{schema.GroupVersionResource{Version: "v1", Resource: "pods"}, true, true},
		{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, true, false},
		{schema.GroupVersionResource{Group: "example.com", Version: "v2", Resource: "things"}, false, true},
		{schema.GroupVersionResource{Group: "example.com", Version: "v2", Resource: "others"}, false, false},
	}
	if diff := cmp.Diff(want, kinds, cmp.AllowUnexported(kind{})); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}
	if !isPods(kinds[0]) || isPods(kinds[1]) {
		t.Error("isPods does not tell pods from others")
	}
	kinds, err = deletable([]*metav1.APIResourceList{served("v1", resource("pods", "delete")), served("not/a/version", resource("x", "delete"))})
	if err == nil || len(kinds) > 0 {
		t.Errorf("got %v, %v, want an error alone", kinds, err)
	}
}

func TestWaits(t *testing.T) {
	for since, want := range map[time.Duration]time.Duration{
		-time.Hour: 5 * time.Second, 0: 5 * time.Second, time.Second: 5 * time.Second, 2 * time.Second: 4 * time.Second,
		6 * time.Second: 0, time.Hour: 0,
	} {
		if got := waits(since); got != want {
			t.Errorf("%s after the deletion it waits %s, want %s", since, got, want)
		}
	}
}

func TestPodGrace(t *testing.T) {
	pod := func(grace int64, phase corev1.PodPhase) corev1.Pod {
		p := corev1.Pod{Status: corev1.PodStatus{Phase: phase}}
		if grace >= 0 {
			p.Spec.TerminationGracePeriodSeconds = &grace
		}
		return p
	}
	for name, c := range map[string]struct {
		pods    []corev1.Pod
		elapsed time.Duration
		want    int64
	}{
		"none":               {nil, 0, 0},
		"one":                {[]corev1.Pod{pod(30, corev1.PodRunning)}, 5 * time.Second, 30},
		"the longest":        {[]corev1.Pod{pod(30, corev1.PodRunning), pod(60, corev1.PodPending), pod(5, "")}, 0, 60},
		"ended do not count": {[]corev1.Pod{pod(300, corev1.PodSucceeded), pod(200, corev1.PodFailed), pod(10, corev1.PodUnknown)}, 0, 10},
		"unset":              {[]corev1.Pod{pod(-1, corev1.PodRunning)}, 0, 0},
		"almost over":        {[]corev1.Pod{pod(30, corev1.PodRunning)}, 30*time.Second - 1, 30},
		"over":               {[]corev1.Pod{pod(30, corev1.PodRunning)}, 30 * time.Second, 0},
		"clock is behind":    {[]corev1.Pod{pod(30, corev1.PodRunning)}, -time.Minute, 30},
	} {
		t.Run(name, func(t *testing.T) {
			if got := podGrace(c.pods, c.elapsed); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// FuzzPodGrace holds that no grace outlasts what was promised, however large.
func FuzzPodGrace(f *testing.F) {
	f.Add(int64(30), int64(0))
	f.Add(int64(math.MaxInt64), int64(time.Hour))
	f.Fuzz(func(t *testing.T, grace, elapsed int64) {
		got := podGrace([]corev1.Pod{{Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace}}}, time.Duration(elapsed))
		if got != 0 && got != grace {
			t.Errorf("grace %d became %d", grace, got)
		}
		past := grace <= 0 || elapsed > 0 && elapsed/int64(time.Second) >= grace
		if past != (got == 0) && elapsed >= 0 {
			t.Errorf("grace %d after %s: got %d", grace, time.Duration(elapsed), got)
		}
		if p := pause(got); p <= 0 && got >= 0 {
			t.Errorf("a pause of %s", p)
		}
	})
}

func TestJudge(t *testing.T) {
	deployments := kind{GroupVersionResource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}}
	pods := kind{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "pods"}}
	object := func(finalizers ...string) metav1.PartialObjectMetadata {
		return metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Finalizers: finalizers}}
	}
	for name, c := range map[string]struct {
		kind  kind
		items []metav1.PartialObjectMetadata
		grace int64
		want  leftover
		err   string
	}{
		"nothing":               {kind: pods, grace: 30, want: leftover{}},
		"grace":                 {kind: pods, items: []metav1.PartialObjectMetadata{object()}, grace: 30, want: leftover{objects: 1, estimate: 30}},
		"grace beats finalizer": {kind: pods, items: []metav1.PartialObjectMetadata{object("a")}, grace: 30, want: leftover{objects: 1, finalizers: map[string]int{"a": 1}, estimate: 30}},
		"finalizers": {kind: deployments, items: []metav1.PartialObjectMetadata{object("a", "b"), object("a"), object()},
			want: leftover{objects: 3, finalizers: map[string]int{"a": 2, "b": 1}, estimate: 15}},
		"no reason": {kind: deployments, items: []metav1.PartialObjectMetadata{object()},
			want: leftover{objects: 1}, err: "unexpected items still remain in namespace: ns for gvr: apps/v1, Resource=deployments"},
		"no reason, core": {kind: pods, items: []metav1.PartialObjectMetadata{object(), object()},
			want: leftover{objects: 2}, err: "unexpected items still remain in namespace: ns for gvr: /v1, Resource=pods"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge("ns", c.kind, c.items, c.grace)
			if text := message(got.err); text != c.err {
				t.Errorf("error %q, want %q", text, c.err)
			}
			got.err = nil
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(leftover{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPause(t *testing.T) {
	for estimate, want := range map[int64]time.Duration{15: 8 * time.Second, 30: 16 * time.Second, 1: time.Second} {
		if got := pause(estimate); got != want {
			t.Errorf("%d: got %s, want %s", estimate, got, want)
		}
	}
}

func TestWithoutOurs(t *testing.T) {
	type names = []corev1.FinalizerName
	for _, c := range []struct{ have, want names }{
		{nil, nil},
		{names{"kubernetes"}, nil},
		{names{"z.io/z", "kubernetes", "a.io/a"}, names{"a.io/a", "z.io/z"}},
		{names{"b", "kubernetes", "b", "a", "kubernetes"}, names{"a", "b"}},
		{names{"b", "a"}, names{"a", "b"}},
	} {
		before := slices.Clone(c.have)
		if diff := cmp.Diff(c.want, withoutOurs(c.have), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.have, diff)
		}
		if !slices.Equal(before, c.have) {
			t.Errorf("%v was changed to %v", before, c.have)
		}
	}
}
