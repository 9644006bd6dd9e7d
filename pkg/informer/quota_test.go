// SPDX-License-Identifier: Apache-2.0

package informer_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

func TestOfExtendedResource(t *testing.T) {
	class := func(name string, extended *string) *resourcev1.DeviceClass {
		return &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.DeviceClassSpec{ExtendedResourceName: extended}}
	}
	c := informer.CacheOf(informer.DeviceClasses(),
		class("plain", nil), class("gpu", new("example.com/gpu")), class("nic", new("example.com/nic")), class("nic-2", new("example.com/nic")))
	for name, want := range map[string]int{"example.com/gpu": 1, "example.com/nic": 2, "example.com/other": 0, "": 0} {
		if got := c.OfExtendedResource(name); len(got) != want {
			t.Errorf("%q: %d classes, want %d", name, len(got), want)
		}
	}
}

func TestCountIn(t *testing.T) {
	quota := func(namespace, name string) *corev1.ResourceQuota {
		return &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	c := informer.CacheOf(informer.ResourceQuotas(), quota("a", "1"), quota("a", "2"), quota("b", "1"))
	for namespace, want := range map[string]int{"a": 2, "b": 1, "c": 0} {
		if got := c.CountIn(namespace); got != want {
			t.Errorf("%s: %d, want %d", namespace, got, want)
		}
	}
}
