// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

// inventoryOf reads "secrets=ready widgets.example.com=filling". All resources but
// those of the group "down" are known.
func inventoryOf(states string) *inventory {
	v := &inventory{
		special: map[schema.GroupResource]evaluator{}, counting: map[schema.GroupResource]evaluator{},
		served: map[schema.GroupResource]bool{{Resource: "events"}: true}, unknown: map[string]bool{"down": true},
	}
	for _, entry := range strings.Fields(states) {
		name, of, _ := strings.Cut(entry, "=")
		s := map[string]state{"ready": ready, "filling": filling, "failing": failing}[of]
		r := schema.ParseGroupResource(name)
		v.served[r] = true
		switch name {
		case "pods":
			v.special[r] = evaluator{quota.Pods{}, s}
		case "resourceclaims.resource.k8s.io":
			v.special[r] = evaluator{quota.DeviceClaims{}, s}
		default:
			v.counting[r] = evaluator{quota.Counting{Resource: r}, s}
		}
	}
	return v
}

func TestPlan(t *testing.T) {
	type summary struct {
		Names, Missing string
		Evaluators     int
		Filling        bool
	}
	for _, tc := range []struct {
		name       string
		inventory  string
		spec, used string
		want       summary
	}{
		{"nothing known", "", "pods=1", "", summary{Names: "pods"}},
		{"ready", "pods=ready secrets=ready", "pods=1 cpu=1 secrets=1", "", summary{Names: "cpu pods secrets", Evaluators: 2}},
		{"one fills", "pods=filling secrets=ready", "pods=1 secrets=1", "", summary{Names: "secrets", Missing: "pods", Evaluators: 1, Filling: true}},
		{"one fails", "pods=ready widgets.example.com=failing", "pods=1 count/widgets.example.com=1", "", summary{Names: "pods", Missing: "count/widgets.example.com", Evaluators: 1}},
		{"another fails", "pods=ready widgets.example.com=failing", "pods=1", "", summary{Names: "pods", Evaluators: 1}},
		{"both names of a count", "secrets=ready", "secrets=1 count/secrets=1", "", summary{Names: "count/secrets secrets", Evaluators: 1}},
		{"two measure one name", "pods=ready resourceclaims.resource.k8s.io=ready", "requests.example.com/gpu=1", "", summary{Names: "requests.example.com/gpu", Evaluators: 2}},
		{"one of two fails", "pods=ready resourceclaims.resource.k8s.io=failing", "requests.example.com/gpu=1 cpu=1", "", summary{Names: "cpu", Missing: "requests.example.com/gpu", Evaluators: 1}},
		{"gone, was counted", "pods=ready", "count/widgets.example.com=1", "count/widgets.example.com=3", summary{Names: "count/widgets.example.com", Evaluators: 1}},
		{"gone, was not counted", "pods=ready", "count/widgets.example.com=1", "", summary{Names: "count/widgets.example.com"}},
		{"of a group that nobody can tell of", "pods=ready", "count/x.down=1", "count/x.down=3", summary{Names: "count/x.down"}},
		{"exists, but is never counted", "pods=ready", "count/events=1", "count/events=3", summary{Names: "count/events"}},
	} {
		p := inventoryOf(tc.inventory).plan(quotaOf(tc.spec, "", tc.used))
		got := summary{Names: joined(p.names), Missing: joined(p.missing), Evaluators: len(p.evaluators), Filling: p.filling}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	if p := (&inventory{}).plan(quotaOf("count/x.y=1", "", "count/x.y=1")); len(p.evaluators) > 0 {
		t.Error("before discovery, something counts as gone")
	}
}

func joined(names []corev1.ResourceName) string {
	var list []string
	for _, n := range names {
		list = append(list, string(n))
	}
	return strings.Join(list, " ")
}

func TestNews(t *testing.T) {
	for _, tc := range []struct{ name, before, now, want string }{
		{"nothing", "pods=ready a=filling", "pods=ready a=filling", ""},
		{"first", "", "pods=ready a=ready b=filling c=failing", "a c pods"},
		{"full", "pods=filling a=filling b=ready", "pods=ready a=ready b=ready", "a pods"},
		{"late", "a=filling", "a=failing", "a"},
		{"full at last", "a=failing", "a=ready", "a"},
		{"gone", "a=ready b=filling c=ready", "c=ready", "a b"},
		{"defined anew", "a=ready", "a=filling", ""},
	} {
		var got []string
		for _, e := range inventoryOf(tc.now).news(inventoryOf(tc.before)) {
			switch e := e.(type) {
			case quota.Counting:
				got = append(got, e.Resource.String())
			case quota.Pods:
				got = append(got, "pods")
			}
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, s, tc.want)
		}
	}
}

func TestMeasures(t *testing.T) {
	v := inventoryOf("pods=failing secrets=ready widgets.example.com=filling")
	for name, want := range map[corev1.ResourceName]bool{
		"cpu": true, "requests.example.com/gpu": true, "secrets": true, "count/secrets": true, "count/widgets.example.com": true,
		"widgets": false, "count/widgets": false, "count/other": false, "services": false, "widgets.example.com": false,
	} {
		if got := v.measures(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if waiting, broken := v.incomplete(); !waiting || !broken {
		t.Errorf("waiting %v, broken %v", waiting, broken)
	}
	if waiting, broken := inventoryOf("pods=ready").incomplete(); waiting || broken {
		t.Errorf("waiting %v, broken %v", waiting, broken)
	}
}
