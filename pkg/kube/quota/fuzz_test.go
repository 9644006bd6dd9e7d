// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// FuzzNames matches any name, and measures what was matched: the result has that
// name, and no evaluator changes what it reads.
func FuzzNames(f *testing.F) {
	for _, name := range []string{
		"cpu", "requests.hugepages-2Mi", "requests.example.com/gpu", "requests.deviceclass.resource.kubernetes.io/", "count/", "count/a.b",
		".deviceclass.resource.k8s.io/devices", ".storageclass.storage.k8s.io/requests.storage", "requests./", "services",
	} {
		f.Add(name, "1")
	}
	f.Fuzz(func(t *testing.T, name, amount string) {
		q, err := resource.ParseQuantity(amount)
		if err != nil {
			q = resource.MustParse("1")
		}
		p := pod(container("", ""))
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceName(name): q}
		c := claim(exactly(name, exact, 1))
		w := world{pods: []*corev1.Pod{p}, claims: []*resourcev1.ResourceClaim{c}, classes: []*resourcev1.DeviceClass{class(name, name, 0)}}
		volumes := volumeClaim("1", "")
		volumes.Spec.StorageClassName = &name
		before := p.DeepCopy()
		evaluators := []Evaluator{
			Pods{PodRules: all(), In: func(string) []*corev1.Pod { return w.pods }, Now: clock},
			Services{In: func(string) []*corev1.Service { return []*corev1.Service{{}} }},
			VolumeClaims{In: func(string) []*corev1.PersistentVolumeClaim { return []*corev1.PersistentVolumeClaim{volumes} }},
			w.evaluator(),
		}
		if r, counts := Counted(corev1.ResourceName(name)); counts {
			if CountName(r) != corev1.ResourceName(name) {
				t.Errorf("%q counts %s, which is counted as %q", name, r, CountName(r))
			}
			evaluators = append(evaluators, Counting{Resource: r, In: func(string) int { return 1 }})
		}
		for _, asked := range []corev1.ResourceName{corev1.ResourceName(name), corev1.ResourceName("requests." + name)} {
			matched := false
			for _, e := range evaluators {
				matched = matched || e.Matches(asked)
			}
			got := Calculate(evaluators, "ns", []corev1.ResourceName{asked, asked}, nil)
			if _, found := got[asked]; found != matched || len(got) > 1 {
				t.Errorf("%q: %v, matched: %v", asked, got, matched)
			}
		}
		if !Equal(before.Spec.Containers[0].Resources.Requests, p.Spec.Containers[0].Resources.Requests) {
			t.Error("the pod was changed")
		}
	})
}

// FuzzSum adds quantities in both orders and to a list that is equal to the sum of
// the plain quantities.
func FuzzSum(f *testing.F) {
	f.Add("1", "1Gi", "500m")
	f.Add("9223372036854775807", "1", "-1n")
	f.Add("0", "1e3", "1001m")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var list []resource.Quantity
		var want resource.Quantity
		for _, s := range []string{a, b, c} {
			q, err := resource.ParseQuantity(s)
			if err != nil {
				return
			}
			list = append(list, q)
			want.Add(q)
		}
		forth, back := NewSum("x"), NewSum("x")
		for i := range list {
			forth.Add("x", list[i])
			forth.Add("y", list[i])
			back.Add("x", list[len(list)-1-i])
		}
		if !Equal(forth.List(), back.List()) || !Equal(forth.List(), corev1.ResourceList{"x": want}) {
			t.Errorf("%v, %v, want %s", forth.List(), back.List(), want.String())
		}
		if r := whole(list[0]); r.Cmp(list[0]) < 0 || !isWhole(r) {
			t.Errorf("%s is rounded up to %s", list[0].String(), r.String())
		}
	})
}

func isWhole(q resource.Quantity) bool {
	again := q.DeepCopy()
	return again.RoundUp(0)
}
