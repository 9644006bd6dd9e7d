// SPDX-License-Identifier: Apache-2.0

package templatehash_test

import (
	"regexp"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/templatehash"
)

func template() *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "tier": "front"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "web", Image: "nginx",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}},
		}}},
	}
}

var valid = regexp.MustCompile(`^[456789bcdf]{1,10}$`)

func TestOf(t *testing.T) {
	hashes := map[string]string{}
	for name, hash := range map[string]string{
		"no count": templatehash.Of(template(), nil),
		"count 0":  templatehash.Of(template(), ptr.To(int32(0))),
		"count 1":  templatehash.Of(template(), ptr.To(int32(1))),
		"empty":    templatehash.Of(&corev1.PodTemplateSpec{}, nil),
	} {
		if !valid.MatchString(hash) {
			t.Errorf("%s: %q is no hash", name, hash)
		}
		if other, taken := hashes[hash]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		hashes[hash] = name
	}
}

func TestOfIsStable(t *testing.T) {
	want := templatehash.Of(template(), nil)
	for range 20 { // the order of maps differs
		if got := templatehash.Of(template().DeepCopy(), nil); got != want {
			t.Fatalf("got %s, then %s", want, got)
		}
	}
}

// TestRelease pins the hash of one template. It changes with the minor version of
// k8s.io/api, as it does in every release of Kubernetes that adds a field to
// pods; with the same version it must not.
func TestRelease(t *testing.T) {
	for _, tc := range []struct {
		count *int32
		want  string
	}{{nil, "f7dbb9574"}, {ptr.To(int32(0)), "76585d886b"}, {ptr.To(int32(1)), "8d9dcf9b7"}} {
		if got := templatehash.Of(template(), tc.count); got != tc.want {
			t.Errorf("count %v: got %s, want %s", ptr.Deref(tc.count, -1), got, tc.want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("nginx", int32(0))
	f.Add("", int32(-1))
	f.Fuzz(func(t *testing.T, image string, count int32) {
		tpl := template()
		tpl.Spec.Containers[0].Image = image
		got := templatehash.Of(tpl, &count)
		if !valid.MatchString(got) {
			t.Errorf("%q is no hash", got)
		}
		if again := templatehash.Of(tpl.DeepCopy(), &count); again != got {
			t.Errorf("got %s, then %s", got, again)
		}
	})
}
