// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
)

func quotaOf(spec, hard, used string) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{
		Spec:   corev1.ResourceQuotaSpec{Hard: list(spec)},
		Status: corev1.ResourceQuotaStatus{Hard: list(hard), Used: list(used)},
	}
}

func TestUrgent(t *testing.T) {
	measures := func(name corev1.ResourceName) bool { return name != "unknown" }
	for _, tc := range []struct {
		name             string
		spec, hard, used string
		want             bool
	}{
		{"new", "pods=1", "", "", true},
		{"without limits", "", "", "", false},
		{"counted", "pods=1", "pods=1", "pods=0", false},
		{"written otherwise", "cpu=1", "cpu=1000m", "cpu=0", false},
		{"changed", "pods=2", "pods=1", "pods=0", true},
		{"one more", "pods=1 cpu=1", "pods=1", "pods=0", true},
		{"one less", "pods=1", "pods=1 cpu=1", "pods=0 cpu=0", true},
		{"a number is missing", "pods=1 cpu=1", "pods=1 cpu=1", "cpu=0", true},
		{"one that nobody knows", "pods=1 unknown=1", "pods=1 unknown=1", "pods=0", false},
	} {
		if got := urgent(quotaOf(tc.spec, tc.hard, tc.used), measures); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestNext(t *testing.T) {
	for _, tc := range []struct {
		name             string
		spec, hard, used string
		measured         string
		want             string
		same             bool
	}{
		{"new", "pods=1", "", "", "pods=0", "pods=0", false},
		{"nothing to limit", "", "", "", "", "", true},
		{"as before", "pods=1", "pods=1", "pods=1", "pods=1", "pods=1", true},
		{"less used", "pods=1", "pods=1", "pods=1", "pods=0", "pods=0", false},
		{"a name goes", "pods=1", "pods=1 cpu=1", "pods=1 cpu=1", "pods=1", "pods=1", false},
		{"not measured, known", "pods=1 cpu=1", "pods=1 cpu=1", "pods=1 cpu=1", "pods=0", "pods=0 cpu=1", false},
		{"not measured, unknown", "pods=1 cpu=1", "pods=1 cpu=1", "pods=1", "pods=1", "pods=1", true},
		{"nothing is known", "unknown=1", "unknown=1", "", "", "", true},
		{"limited otherwise", "pods=2", "pods=1", "pods=1", "pods=1", "pods=1", false},
	} {
		q := quotaOf(tc.spec, tc.hard, tc.used)
		got := next(q, list(tc.measured))
		if diff := cmp.Diff(corev1.ResourceQuotaStatus{Hard: list(tc.spec), Used: list(tc.want)}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if same(q.Status, got) != tc.same {
			t.Errorf("%s: would be written: %v", tc.name, tc.same)
		}
	}
}

func TestFrees(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	pod := func(change func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "a"}, {Name: "b"}}}}
		if change != nil {
			change(p)
		}
		return p
	}
	has := func(cpu string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.ContainerStatuses[1].Resources = &corev1.ResourceRequirements{Requests: list("cpu=" + cpu)}
		}
	}
	initHas := func(cpu string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "i", Resources: &corev1.ResourceRequirements{Limits: list("cpu=" + cpu)}}}
		}
	}
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	lost := func(p *corev1.Pod) {
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = new(metav1.NewTime(now.Add(-time.Minute))), new(int64(30))
	}
	service := func(kind corev1.ServiceType) *corev1.Service {
		return &corev1.Service{Spec: corev1.ServiceSpec{Type: kind}}
	}
	for _, tc := range []struct {
		name     string
		old, now metav1.Object
		want     bool
	}{
		{"a pod as before", pod(nil), pod(nil), false},
		{"a pod with another label", pod(nil), pod(func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }), false},
		{"a pod that ends", pod(nil), pod(ended), true},
		{"a pod that had ended", pod(ended), pod(ended), false},
		{"a pod that is lost", pod(nil), pod(lost), true},
		{"a pod with a deadline", pod(nil), pod(func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(5)) }), true},
		{"a resized pod", pod(has("1")), pod(has("2")), true},
		{"a pod that is not resized", pod(has("1")), pod(has("1000m")), false},
		{"a pod that tells its size", pod(nil), pod(has("1")), true},
		{"a resized init container", pod(initHas("2")), pod(initHas("1")), true},
		{"a container that is new", pod(nil), pod(initHas("1")), false},
		{"a Service as before", service(corev1.ServiceTypeNodePort), service(corev1.ServiceTypeNodePort), false},
		{"a Service without node ports", service(corev1.ServiceTypeNodePort), service(corev1.ServiceTypeClusterIP), true},
		{"a Service with node ports", service(corev1.ServiceTypeClusterIP), service(corev1.ServiceTypeNodePort), true},
		{"a Service with a load balancer", service(corev1.ServiceTypeNodePort), service(corev1.ServiceTypeLoadBalancer), true},
		{"a Service that is a name", service(corev1.ServiceTypeClusterIP), service(corev1.ServiceTypeExternalName), false},
		{"a volume claim", &corev1.PersistentVolumeClaim{}, &corev1.PersistentVolumeClaim{}, true},
		{"anything else", &metav1.PartialObjectMetadata{}, &metav1.PartialObjectMetadata{}, false},
	} {
		if got := frees(tc.old, tc.now, now); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestCountable(t *testing.T) {
	for _, tc := range []struct {
		resource   string
		namespaced bool
		verbs      []string
		want       bool
	}{
		{"pods.v1.", true, []string{"create", "delete", "get", "list", "watch"}, true},
		{"widgets.v1.example.com", true, []string{"create", "delete", "list", "watch"}, true},
		{"widgets.v1.example.com", true, []string{"delete", "list", "watch"}, false},
		{"widgets.v1.example.com", true, []string{"create", "delete", "list"}, false},
		{"widgets.v1.example.com", false, []string{"create", "delete", "list", "watch"}, false},
		{"deviceclasses.v1.resource.k8s.io", false, []string{"list", "watch"}, true},
		{"deviceclasses.v1beta1.resource.k8s.io", false, []string{"create", "delete", "list", "watch"}, false},
		{"events.v1.", true, []string{"create", "delete", "list", "watch"}, false},
		{"events.v1.events.k8s.io", true, []string{"create", "delete", "list", "watch"}, false},
		{"events.v1.example.com", true, []string{"create", "delete", "list", "watch"}, true},
		{"bindings.v1.", true, []string{"create"}, false},
		{"localsubjectaccessreviews.v1.authorization.k8s.io", true, []string{"create"}, false},
	} {
		r, _ := schema.ParseResourceArg(tc.resource)
		if got := countable(*r, monitors.Resource{Namespaced: tc.namespaced, Verbs: tc.verbs}); got != tc.want {
			t.Errorf("%s %v: %v", tc.resource, tc.verbs, got)
		}
	}
}

// A change concerns the quotas of its namespace that limit what changed, and no
// others. What is in force counts.
func TestLimiting(t *testing.T) {
	in := func(namespace, name, hard string) *corev1.ResourceQuota {
		q := quotaOf("", hard, "")
		q.Namespace, q.Name = namespace, name
		return q
	}
	cached := informer.CacheOf(informer.ResourceQuotas(),
		in("a", "pods", "pods=1"), in("a", "cpu", "cpu=1"), in("a", "secrets", "secrets=1"), in("a", "none", ""), in("b", "pods", "pods=1"))
	secrets := quota.Counting{Resource: corev1.Resource("secrets")}
	for _, tc := range []struct {
		namespace string
		e         quota.Evaluator
		want      []string
	}{
		{"a", quota.Pods{}, []string{"a/cpu", "a/pods"}},
		{"b", quota.Pods{}, []string{"b/pods"}},
		{"a", secrets, []string{"a/secrets"}},
		{"b", secrets, nil},
		{"c", quota.Pods{}, nil},
	} {
		var got []string
		for _, k := range limiting(&cached, tc.namespace, tc.e) {
			got = append(got, k.String())
		}
		slices.Sort(got)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%T in %s (-want +got):\n%s", tc.e, tc.namespace, diff)
		}
	}
}
