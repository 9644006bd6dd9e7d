// SPDX-License-Identifier: Apache-2.0

package podservices_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/podservices"
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
			for name := range podservices.Affected(services, &test.key) {
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
		for name := range podservices.Affected(informer.CacheOf(informer.Services(), list...), key) {
			got[name] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
