// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func service(namespace, name string, selector map[string]string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.ServiceSpec{Selector: selector},
	}
}

func TestServicesAffectedByAPod(t *testing.T) {
	services := informer.CacheOf(informer.Services(),
		service("here", "web", map[string]string{"app": "web"}),
		service("here", "web-a", map[string]string{"app": "web", "track": "a"}),
		service("here", "web-b", map[string]string{"app": "web", "track": "b"}),
		service("here", "replica", map[string]string{"pod-template-hash": "7f"}),
		service("here", "nobody", nil),
		service("there", "web", map[string]string{"app": "web"}),
	)
	web, a, b := labels.Set{"app": "web"}, labels.Set{"app": "web", "track": "a"}, labels.Set{"app": "web", "track": "b"}
	for _, test := range []struct {
		name string
		key  util.PodProjectionKey
		want []string
	}{
		{"created without labels", util.PodProjectionKey{}, nil},
		{"created, nobody selects it", util.PodProjectionKey{Labels: labels.Set{"track": "a"}}, nil},
		{"created, selected by one", util.PodProjectionKey{Labels: web}, []string{"web"}},
		{"created, selected by two", util.PodProjectionKey{Labels: a}, []string{"web", "web-a"}},
		{"selected by the label of a revision alone", util.PodProjectionKey{Labels: labels.Set{"pod-template-hash": "7f", "app": "x"}}, []string{"replica"}},
		{"labels changed alone: who selects it all the time is left out", util.PodProjectionKey{Labels: b, OldLabels: a}, []string{"web-a", "web-b"}},
		{"labels and pod changed: all", util.PodProjectionKey{Labels: b, OldLabels: a, PodChanged: true}, []string{"web", "web-a", "web-b"}},
		{"labels changed, the same Services", util.PodProjectionKey{Labels: labels.Set{"app": "web", "x": "y"}, OldLabels: web}, nil},
		{"all labels gone", util.PodProjectionKey{OldLabels: a}, []string{"web", "web-a"}},
		{"another namespace", util.PodProjectionKey{Namespace: "there", Labels: a}, []string{"web"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.key.Namespace == "" {
				test.key.Namespace = "here"
			}
			var got []string
			for name := range affected(services, &test.key) {
				if name.Namespace != test.key.Namespace {
					t.Errorf("%s is in another namespace", name)
				}
				got = append(got, name.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzServicesAffectedByAPod compares the lookup through the index with a walk
// over all Services. Each byte is a set of three labels.
func FuzzServicesAffectedByAPod(f *testing.F) {
	f.Add([]byte{0x01, 0x13, 0x2a}, byte(0x13), byte(0x2a), true)
	f.Add([]byte{0x3f, 0x00, 0x15}, byte(0x15), byte(0x3f), false)
	set := func(b byte) labels.Set {
		s := labels.Set{}
		for i, key := range []string{"a", "b", "pod-template-hash"} {
			if v := b >> (2 * i) & 3; v > 0 {
				s[key] = string('0' + v)
			}
		}
		return s
	}
	f.Fuzz(func(t *testing.T, selectors []byte, now, before byte, changed bool) {
		key := &util.PodProjectionKey{Namespace: "n", Labels: set(now), OldLabels: set(before), PodChanged: changed}
		var list []*corev1.Service
		want := map[cache.ObjectName]bool{}
		for i, b := range selectors {
			if len(set(b)) == 0 {
				continue // no selector, or one that an API server cannot keep
			}
			s := service("n", string(rune('a'+i%26))+string(rune('a'+i/26%26)), set(b))
			if slices.ContainsFunc(list, func(o *corev1.Service) bool { return o.Name == s.Name }) {
				continue
			}
			list = append(list, s)
			is, was := labels.SelectorFromSet(set(b)).Matches(key.Labels), labels.SelectorFromSet(set(b)).Matches(key.OldLabels)
			if is != was || is && changed {
				want[cache.MetaObjectToName(s)] = true
			}
		}
		got := map[cache.ObjectName]bool{}
		for name := range affected(informer.CacheOf(informer.Services(), list...), key) {
			got[name] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func slice(service, manager string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: "here", Name: "s",
		Labels: map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: manager},
	}}
}

func TestUpdateOfASlice(t *testing.T) {
	now := metav1.Now()
	dying := slice("web", managedBy)
	dying.DeletionTimestamp = &now
	for _, test := range []struct {
		name     string
		old, new *discoveryv1.EndpointSlice
		news     bool
		want     []string // Services to sync
		left     bool
	}{
		{"own write comes back", slice("web", managedBy), slice("web", managedBy), false, nil, false},
		{"edited", slice("web", managedBy), slice("web", managedBy), true, []string{"web"}, false},
		{"somebody else's edited", slice("web", "x"), slice("web", "x"), true, nil, false},
		{"taken from us", slice("web", managedBy), slice("web", "x"), false, []string{"web"}, true},
		{"given to us", slice("web", "x"), slice("web", managedBy), false, []string{"web"}, false},
		{"moved to another Service", slice("web", managedBy), slice("db", managedBy), false, []string{"db", "web"}, true},
		{"somebody else's moved", slice("web", "x"), slice("db", "x"), false, []string{"db", "web"}, false},
		{"pending deletion", slice("web", managedBy), dying, true, []string{"web"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, s := range concernedBy(test.old, test.new, test.news) {
				got = append(got, s.Labels[discoveryv1.LabelServiceName])
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if got := hasLeft(test.old, test.new); got != test.left {
				t.Errorf("has left: %v", got)
			}
		})
	}
}

func TestUsableSlicesAreSafeToSort(t *testing.T) {
	now := metav1.Now()
	dying, foreign, mine := slice("web", managedBy), slice("web", "x"), slice("web", managedBy)
	dying.DeletionTimestamp = &now
	for _, name := range []string{"b", "a", "c", "d"} {
		mine.Ports = append(mine.Ports, discoveryv1.EndpointPort{Name: &name})
	}
	before := mine.DeepCopy()
	got := usable([]*discoveryv1.EndpointSlice{dying, foreign, mine})
	if diff := cmp.Diff([]*discoveryv1.EndpointSlice{before}, got); diff != "" {
		t.Fatal(diff)
	}
	slices.Reverse(got[0].Ports)
	if diff := cmp.Diff(before, mine); diff != "" {
		t.Error("the cached slice changed:", diff)
	}
}

func TestNodeChangesThatMatter(t *testing.T) {
	node := func(zone string, ready corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelTopologyZone: zone}},
			Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}},
		}
	}
	changed := node("a", corev1.ConditionTrue)
	changed.Status.Conditions[0].LastHeartbeatTime = metav1.Now()
	changed.Status.Allocatable = corev1.ResourceList{}
	for _, test := range []struct {
		name     string
		old, new *corev1.Node
		want     bool
	}{
		{"heartbeat", node("a", corev1.ConditionTrue), changed, false},
		{"moved", node("a", corev1.ConditionTrue), node("b", corev1.ConditionTrue), true},
		{"became ready", node("a", corev1.ConditionFalse), node("a", corev1.ConditionTrue), true},
		{"silent", node("a", corev1.ConditionTrue), node("a", corev1.ConditionUnknown), true},
		{"not ready in another way", node("a", corev1.ConditionFalse), node("a", corev1.ConditionUnknown), false},
	} {
		if got := capacityChanged(test.old, test.new); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
