// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// world is what the evaluator of claims reads.
type world struct {
	classes []*resourcev1.DeviceClass
	pods    []*corev1.Pod
	claims  []*resourcev1.ResourceClaim
}

func (w world) evaluator() DeviceClaims {
	return DeviceClaims{
		PodRules: all(), Now: clock,
		In: func(string) []*resourcev1.ResourceClaim { return w.claims },
		Class: func(name string) (*resourcev1.DeviceClass, bool) {
			for _, c := range w.classes {
				if c.Name == name {
					return c, true
				}
			}
			return nil, false
		},
		Providers: func(extended string) (list []*resourcev1.DeviceClass) {
			for _, c := range w.classes {
				if c.Spec.ExtendedResourceName != nil && *c.Spec.ExtendedResourceName == extended {
					list = append(list, c)
				}
			}
			return list
		},
		Pod: func(_, name string) (*corev1.Pod, bool) {
			for _, p := range w.pods {
				if p.Name == name {
					return p, true
				}
			}
			return nil, false
		},
		Of: func(*corev1.Pod) []*resourcev1.ResourceClaim { return w.claims },
	}
}

func (w world) usage(asked string) string {
	pods := Pods{PodRules: all(), In: func(string) []*corev1.Pod { return w.pods }, Now: clock}
	return text(Calculate([]Evaluator{pods, w.evaluator()}, "ns", names(asked), nil))
}

func class(name, extended string, age time.Duration) *resourcev1.DeviceClass {
	c := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(noon.Add(-age))}}
	if extended != "" {
		c.Spec.ExtendedResourceName = &extended
	}
	return c
}

func exactly(class string, mode resourcev1.DeviceAllocationMode, n int64) resourcev1.DeviceRequest {
	return resourcev1.DeviceRequest{Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: class, AllocationMode: mode, Count: n}}
}

func first(subs ...resourcev1.DeviceSubRequest) resourcev1.DeviceRequest {
	return resourcev1.DeviceRequest{FirstAvailable: subs}
}

func sub(class string, mode resourcev1.DeviceAllocationMode, n int64) resourcev1.DeviceSubRequest {
	return resourcev1.DeviceSubRequest{DeviceClassName: class, AllocationMode: mode, Count: n}
}

func claim(requests ...resourcev1.DeviceRequest) *resourcev1.ResourceClaim {
	return &resourcev1.ResourceClaim{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{Requests: requests}}}
}

const (
	exact = resourcev1.DeviceAllocationModeExactCount
	every = resourcev1.DeviceAllocationModeAll
)

func TestDeviceClaimNames(t *testing.T) {
	e := world{classes: []*resourcev1.DeviceClass{
		class("plain", "", 0), class("mapped", "example.com/gpu", time.Hour),
		class("newer", "example.com/nic", 0), class("older", "example.com/nic", time.Hour),
		class("b", "example.com/fpga", 0), class("a", "example.com/fpga", 0),
	}}.evaluator()
	for name, want := range map[corev1.ResourceName]bool{
		"count/resourceclaims.resource.k8s.io":               true,
		"gpu.deviceclass.resource.k8s.io/devices":            true,
		"requests.deviceclass.resource.kubernetes.io/plain":  true,
		"requests.deviceclass.resource.kubernetes.io/mapped": true,
		"requests.deviceclass.resource.kubernetes.io/newer":  true,
		"requests.deviceclass.resource.kubernetes.io/a":      true,
		"requests.example.com/gpu":                           true,
		"requests.example.com/nic":                           true,

		"requests.deviceclass.resource.kubernetes.io/older":   false, // another has its extended resource
		"requests.deviceclass.resource.kubernetes.io/b":       false,
		"requests.deviceclass.resource.kubernetes.io/unknown": false,
		"requests.example.com/other":                          false,
		"example.com/gpu":                                     false,
		"requests.cpu":                                        false,
		"count/pods":                                          false,
	} {
		if got := e.Matches(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	// As long as nobody knows the classes, any of these may be one's.
	for name, want := range map[corev1.ResourceName]bool{
		"count/resourceclaims.resource.k8s.io": true, "requests.example.com/other": true,
		"requests.deviceclass.resource.kubernetes.io/unknown": true, "requests.cpu": false, "pods": false, "requests.storage": false,
	} {
		if got := (DeviceClaims{}).Matches(name); got != want {
			t.Errorf("without classes, %s: %v, want %v", name, got, want)
		}
	}
}

func TestDevices(t *testing.T) {
	const asked = "gpu.deviceclass.resource.k8s.io/devices nic.deviceclass.resource.k8s.io/devices count/resourceclaims.resource.k8s.io"
	for _, tc := range []struct {
		name     string
		requests []resourcev1.DeviceRequest
		gpu, nic string
	}{
		{"none", nil, "0", "0"},
		{"a number", []resourcev1.DeviceRequest{exactly("gpu", exact, 5)}, "5", "0"},
		{"all", []resourcev1.DeviceRequest{exactly("gpu", every, 0)}, "32", "0"},
		{"five requests", []resourcev1.DeviceRequest{
			exactly("gpu", exact, 1), exactly("gpu", exact, 1), exactly("gpu", exact, 1), exactly("gpu", exact, 1), exactly("gpu", exact, 1),
		}, "5", "0"},
		{"unknown mode", []resourcev1.DeviceRequest{exactly("gpu", "Some", 5)}, "0", "0"},
		{"no request at all", []resourcev1.DeviceRequest{{}}, "0", "0"},
		{"alternatives of a class", []resourcev1.DeviceRequest{first(sub("gpu", exact, 2), sub("gpu", exact, 1))}, "2", "0"},
		{"alternatives of two", []resourcev1.DeviceRequest{first(sub("gpu", exact, 2), sub("nic", exact, 1))}, "2", "1"},
		{"all as an alternative", []resourcev1.DeviceRequest{first(sub("gpu", every, 0), sub("gpu", exact, 1))}, "32", "0"},
		{"unknown alternative", []resourcev1.DeviceRequest{first(sub("gpu", "Some", 3))}, "0", "0"},
		{"both ways", []resourcev1.DeviceRequest{exactly("gpu", exact, 1), first(sub("gpu", exact, 2)), first(sub("gpu", exact, 4))}, "7", "0"},
	} {
		w := world{claims: []*resourcev1.ResourceClaim{claim(tc.requests...)}}
		want := "count/resourceclaims.resource.k8s.io=1 gpu.deviceclass.resource.k8s.io/devices=" + tc.gpu + " nic.deviceclass.resource.k8s.io/devices=" + tc.nic
		if got := w.usage(asked); got != want {
			t.Errorf("%s:\n got %q\nwant %q", tc.name, got, want)
		}
		if got := text(Calculate([]Evaluator{w.evaluator()}, "ns", names(asked), scopes(corev1.ResourceQuotaScopeTerminating))); got == want {
			t.Errorf("%s: counts in a scope", tc.name)
		}
	}
	access := claim(exactly("gpu", exact, 2))
	access.Spec.Devices.Requests[0].Exactly.AdminAccess = new(true)
	if got := (world{claims: []*resourcev1.ResourceClaim{access}}).usage("gpu.deviceclass.resource.k8s.io/devices"); got != "gpu.deviceclass.resource.k8s.io/devices=2" {
		t.Errorf("an administrator is charged %s", got)
	}
}

func TestExtendedDevices(t *testing.T) {
	const (
		extended = "requests.example.com/gpu"
		implicit = "requests.deviceclass.resource.kubernetes.io/gpu"
	)
	gpu := class("gpu", "example.com/gpu", 0)
	// A pod that asks for two devices, and the claim that the scheduler made for it.
	asking := func(change func(*corev1.Pod)) *corev1.Pod {
		p := pod(container("example.com/gpu=2", "example.com/gpu=2"))
		p.Name, p.UID = "p", "p-1"
		if change != nil {
			change(p)
		}
		return p
	}
	made := func(name string, change func(*resourcev1.ResourceClaim)) *resourcev1.ResourceClaim {
		c := claim(exactly("gpu", exact, 3))
		c.Name = name
		c.CreationTimestamp = metav1.NewTime(noon)
		c.Annotations = map[string]string{resourcev1.ExtendedResourceClaimAnnotation: "true"}
		c.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "p-1", Controller: new(true)}}
		if change != nil {
			change(c)
		}
		return c
	}
	names := func(name string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.ExtendedResourceClaimStatus = &corev1.PodExtendedResourceClaimStatus{ResourceClaimName: name}
		}
	}
	type claims = []*resourcev1.ResourceClaim
	for _, tc := range []struct {
		name               string
		pod                *corev1.Pod
		claims             claims
		extended, implicit string
	}{
		{"a pod alone", asking(nil), nil, "2", "0"},
		{"a claim alone", nil, claims{claim(exactly("gpu", exact, 3))}, "3", "3"},
		{"both, unrelated", asking(nil), claims{claim(exactly("gpu", exact, 3))}, "5", "3"},
		{"the pod's claim", asking(nil), claims{made("c", nil)}, "3", "3"},
		{"the claim that the pod names", asking(names("c")), claims{made("c", nil)}, "3", "3"},
		{"another than the pod names", asking(names("x")), claims{made("c", nil)}, "5", "3"},
		{"the claim of a pod that is charged for more", asking(func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests = list("example.com/gpu=5 deviceclass.resource.kubernetes.io/gpu=1")
		}), claims{made("c", nil)}, "5", "3"}, // 5+0, 1+2
		{"the claim of an earlier pod", asking(func(p *corev1.Pod) { p.UID = "p-2" }), claims{made("c", nil)}, "5", "3"},
		{"the claim of a pod that is gone", nil, claims{made("c", nil)}, "3", "3"},
		{"the claim of a pod that ended", asking(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), claims{made("c", nil)}, "3", "3"},
		{"a claim of another sort", asking(nil), claims{made("c", func(c *resourcev1.ResourceClaim) { c.Annotations = nil })}, "5", "3"},
		{"a claim of another owner", asking(nil), claims{made("c", func(c *resourcev1.ResourceClaim) { c.OwnerReferences[0].Kind = "Job" })}, "5", "3"},
		{"a claim without a controller", asking(nil), claims{made("c", func(c *resourcev1.ResourceClaim) { c.OwnerReferences[0].Controller = nil })}, "5", "3"},
		{"two claims, the older is the pod's", asking(nil), claims{made("a", func(c *resourcev1.ResourceClaim) {
			c.CreationTimestamp = metav1.NewTime(noon.Add(time.Second))
		}), made("b", nil)}, "6", "6"},
		{"two claims of an age", asking(nil), claims{made("b", nil), made("a", nil)}, "6", "6"},
	} {
		w := world{classes: []*resourcev1.DeviceClass{gpu}, claims: tc.claims}
		if tc.pod != nil {
			w.pods = append(w.pods, tc.pod)
		}
		want := implicit + "=" + tc.implicit + " " + extended + "=" + tc.extended
		if got := w.usage(extended + " " + implicit); got != want {
			t.Errorf("%s:\n got %q\nwant %q", tc.name, got, want)
		}
	}
}

// Devices of two classes of one extended resource are added up, also those of the
// one whose own name nobody matches.
func TestSharedExtendedResource(t *testing.T) {
	w := world{
		classes: []*resourcev1.DeviceClass{class("newer", "example.com/gpu", 0), class("older", "example.com/gpu", time.Hour)},
		claims:  []*resourcev1.ResourceClaim{claim(exactly("newer", exact, 2), exactly("older", exact, 3), exactly("plain", exact, 7))},
	}
	if got := w.usage("requests.example.com/gpu"); got != "requests.example.com/gpu=5" {
		t.Errorf("got %s", got)
	}
}
