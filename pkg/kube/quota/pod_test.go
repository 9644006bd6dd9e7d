// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// all follows every rule, as by default.
func all() PodRules { return PodRules{PodLevel: true, PodLevelQoS: true} }

func usage(r PodRules, p *corev1.Pod, asked string, s ...Scope) string {
	e := Pods{PodRules: r, In: func(string) []*corev1.Pod { return []*corev1.Pod{p} }, Now: clock}
	return text(Calculate([]Evaluator{e}, "ns", names(asked), s))
}

func container(requests, limits string) corev1.Container {
	return corev1.Container{Name: "c", Resources: corev1.ResourceRequirements{Requests: list(requests), Limits: list(limits)}}
}

func pod(containers ...corev1.Container) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{Containers: containers}}
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Name = fmt.Sprintf("c%d", i)
	}
	return p
}

func with(p *corev1.Pod, change func(*corev1.Pod)) *corev1.Pod {
	change(p)
	return p
}

func TestPodNames(t *testing.T) {
	for name, want := range map[corev1.ResourceName]bool{
		"cpu": true, "memory": true, "ephemeral-storage": true, "requests.cpu": true, "requests.memory": true,
		"requests.ephemeral-storage": true, "limits.cpu": true, "limits.memory": true, "limits.ephemeral-storage": true,
		"pods": true, "count/pods": true, "hugepages-2Mi": true, "requests.hugepages-1Gi": true, "requests.example.com/gpu": true,
		"requests.deviceclass.resource.kubernetes.io/gpu": true,

		"limits.hugepages-2Mi": false, "limits.example.com/gpu": false, "example.com/gpu": false, "requests.storage": false, "requests.gpu": false,
		"requests.kubernetes.io/gpu": false, "services": false, "count/secrets": false, "deviceclass.resource.kubernetes.io/gpu": false,
		"gold.storageclass.storage.k8s.io/requests.storage": false,
	} {
		if got := (Pods{}).Matches(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestPodUsage(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	for _, tc := range []struct {
		name       string
		pod        *corev1.Pod
		asked      string
		want       string
		notByLevel bool
	}{
		{"nothing", pod(container("", "")), "pods count/pods cpu limits.cpu", "count/pods=1 cpu=0 limits.cpu=0 pods=1", false},
		{"requests", pod(container("cpu=100m memory=1Gi ephemeral-storage=10Mi", "")),
			"cpu requests.cpu memory requests.memory ephemeral-storage requests.ephemeral-storage",
			"cpu=100m ephemeral-storage=10Mi memory=1Gi requests.cpu=100m requests.ephemeral-storage=10Mi requests.memory=1Gi", false},
		{"limits", pod(container("", "cpu=1 memory=2Gi ephemeral-storage=3Mi"), container("", "cpu=500m")),
			"limits.cpu limits.memory limits.ephemeral-storage", "limits.cpu=1500m limits.ephemeral-storage=3Mi limits.memory=2Gi", false},
		{"huge pages", pod(container("hugepages-2Mi=4Mi", "hugepages-2Mi=4Mi")), "hugepages-2Mi requests.hugepages-2Mi",
			"hugepages-2Mi=4Mi requests.hugepages-2Mi=4Mi", false},
		{"extended", pod(container("example.com/gpu=2 kubernetes.io/own=1 requests.example.com/gpu=5", "")), "requests.example.com/gpu", "requests.example.com/gpu=2", false},
		{"a class's devices", pod(container("deviceclass.resource.kubernetes.io/gpu=3", "")),
			"requests.deviceclass.resource.kubernetes.io/gpu", "requests.deviceclass.resource.kubernetes.io/gpu=3", false},
		{"init containers", with(pod(container("cpu=1", "cpu=2"), container("cpu=2", "cpu=5")), func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{container("cpu=4", "cpu=8"), container("cpu=1", "cpu=2")}
		}), "cpu limits.cpu", "cpu=4 limits.cpu=8", false},
		{"sidecars", with(pod(container("cpu=1", "")), func(p *corev1.Pod) {
			side := container("cpu=2", "")
			side.RestartPolicy = &always
			p.Spec.InitContainers = []corev1.Container{side, container("cpu=3", "")}
		}), "cpu", "cpu=5", false},
		{"overhead", with(pod(container("cpu=1", "cpu=2")), func(p *corev1.Pod) { p.Spec.Overhead = list("cpu=1 memory=1Mi") }),
			"cpu limits.cpu memory limits.memory", "cpu=2 limits.cpu=3 limits.memory=0 memory=1Mi", false},
		{"of the pod as a whole", with(pod(container("ephemeral-storage=32Mi memory=5Mi", "ephemeral-storage=64Mi")), func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Requests: list("memory=1Mi"), Limits: list("memory=2Mi")}
		}), "memory limits.memory ephemeral-storage limits.ephemeral-storage",
			"ephemeral-storage=32Mi limits.ephemeral-storage=64Mi limits.memory=2Mi memory=1Mi", false},
		{"of the pod as a whole, without the gate", with(pod(container("memory=5Mi", "")), func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Requests: list("memory=1Mi")}
		}), "memory", "memory=5Mi", true},
		{"ended", with(pod(container("cpu=1", "cpu=1")), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
			"pods count/pods cpu limits.cpu", "count/pods=1 cpu=0 limits.cpu=0 pods=0", false},
	} {
		r := all()
		r.PodLevel = !tc.notByLevel
		if got := usage(r, tc.pod, tc.asked); got != tc.want {
			t.Errorf("%s:\n got %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

// A pod that is being resized takes the largest of what it asks for, was given,
// and has.
func TestResizedPod(t *testing.T) {
	status := func(allocated, has, limits string) corev1.ContainerStatus {
		s := corev1.ContainerStatus{Name: "c0", Resources: &corev1.ResourceRequirements{}}
		if allocated != "" {
			s.AllocatedResources = list(allocated)
		}
		if has != "" {
			s.Resources.Requests = list(has)
		}
		if limits != "" {
			s.Resources.Limits = list(limits)
		}
		return s
	}
	infeasible := corev1.PodCondition{Type: corev1.PodResizePending, Reason: corev1.PodReasonInfeasible}
	for _, tc := range []struct {
		name       string
		status     corev1.ContainerStatus
		conditions []corev1.PodCondition
		want       string
	}{
		{"asks for most", status("cpu=1", "cpu=1", "cpu=2"), nil, "cpu=3 limits.cpu=4"},
		{"was given most", status("cpu=5", "cpu=1", "cpu=2"), nil, "cpu=5 limits.cpu=4"},
		{"has most", status("cpu=1", "cpu=6", "cpu=8"), nil, "cpu=6 limits.cpu=8"},
		{"has what it was given", status("cpu=7", "", ""), nil, "cpu=7 limits.cpu=4"},
		{"cannot be given more", status("cpu=1", "cpu=2", "cpu=2"), []corev1.PodCondition{infeasible}, "cpu=2 limits.cpu=2"},
	} {
		p := pod(container("cpu=3", "cpu=4"))
		p.Status.ContainerStatuses, p.Status.Conditions = []corev1.ContainerStatus{tc.status}, tc.conditions
		if got := usage(all(), p, "cpu limits.cpu"); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestCharged(t *testing.T) {
	deleted := func(ago time.Duration, grace *int64, phase corev1.PodPhase) *corev1.Pod {
		p := &corev1.Pod{Status: corev1.PodStatus{Phase: phase}}
		p.DeletionTimestamp = new(metav1.NewTime(noon.Add(-ago)))
		p.DeletionGracePeriodSeconds = grace
		return p
	}
	for _, tc := range []struct {
		name string
		pod  *corev1.Pod
		want bool
	}{
		{"new", &corev1.Pod{}, true},
		{"running", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning}}, true},
		{"succeeded", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}, false},
		{"failed", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed}}, false},
		{"deleted without a grace", deleted(time.Hour, nil, corev1.PodRunning), true},
		{"in its grace period", deleted(-time.Second, new(int64(30)), corev1.PodRunning), true},
		{"past it, but not twice", deleted(30*time.Second, new(int64(30)), corev1.PodRunning), true},
		{"past it twice", deleted(30*time.Second+1, new(int64(30)), corev1.PodRunning), false},
		{"no grace", deleted(1, new(int64(0)), corev1.PodPending), false},
		{"ended in its grace period", deleted(0, new(int64(30)), corev1.PodFailed), false},
	} {
		if got := Charged(tc.pod, noon); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestPodScopes(t *testing.T) {
	const (
		terminating, notTerminating = corev1.ResourceQuotaScopeTerminating, corev1.ResourceQuotaScopeNotTerminating
		bestEffort, notBestEffort   = corev1.ResourceQuotaScopeBestEffort, corev1.ResourceQuotaScopeNotBestEffort
		class                       = corev1.ResourceQuotaScopePriorityClass
	)
	deadline := func(n int64) *corev1.Pod { return &corev1.Pod{Spec: corev1.PodSpec{ActiveDeadlineSeconds: &n}} }
	prioritized := &corev1.Pod{Spec: corev1.PodSpec{PriorityClassName: "high"}}
	plain := &corev1.Pod{}
	in := func(p *corev1.Pod, s ...Scope) bool { return usage(all(), p, "pods", s...) == "pods=1" }
	for _, tc := range []struct {
		name   string
		pod    *corev1.Pod
		scopes []Scope
		want   bool
	}{
		{"terminating", deadline(5), scopes(terminating), true},
		{"terminating at once", deadline(0), scopes(terminating), true},
		{"never terminating", plain, scopes(terminating), false},
		{"terminating never", deadline(5), scopes(notTerminating), false},
		{"not terminating", plain, scopes(notTerminating), true},
		{"negative deadline", deadline(-1), scopes(notTerminating), true},
		{"terminating, selected", deadline(5), selecting(terminating, corev1.ScopeSelectorOpExists), true},
		{"best effort", plain, scopes(bestEffort), true},
		{"not best effort", plain, scopes(notBestEffort), false},
		{"both", plain, scopes(bestEffort, notTerminating), true},
		{"one of two", plain, scopes(bestEffort, terminating), false},
		{"priority exists", prioritized, scopes(class), true},
		{"priority does not exist", plain, selecting(class, corev1.ScopeSelectorOpExists), false},
		{"priority in", prioritized, selecting(class, corev1.ScopeSelectorOpIn, "low", "high"), true},
		{"priority in others", prioritized, selecting(class, corev1.ScopeSelectorOpIn, "low"), false},
		{"priority not in", prioritized, selecting(class, corev1.ScopeSelectorOpNotIn, "low"), true},
		{"none is not in", plain, selecting(class, corev1.ScopeSelectorOpNotIn, "low"), true},
		{"priority must not exist", plain, selecting(class, corev1.ScopeSelectorOpDoesNotExist), true},
		{"priority must not exist, but does", prioritized, selecting(class, corev1.ScopeSelectorOpDoesNotExist), false},
		{"of volumes", plain, scopes(corev1.ResourceQuotaScopeVolumeAttributesClass), false},
		{"unknown", plain, scopes("Blue"), false},
	} {
		if got := in(tc.pod, tc.scopes...); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestBestEffort(t *testing.T) {
	level := func(p *corev1.Pod, requests string) *corev1.Pod {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: list(requests)}
		return p
	}
	for _, tc := range []struct {
		name  string
		pod   *corev1.Pod
		rules PodRules
		want  bool
	}{
		{"said so", with(pod(container("cpu=1", "")), func(p *corev1.Pod) { p.Status.QOSClass = corev1.PodQOSBestEffort }), all(), true},
		{"said otherwise", with(pod(container("", "")), func(p *corev1.Pod) { p.Status.QOSClass = corev1.PodQOSBurstable }), all(), false},
		{"asks for nothing", pod(container("", ""), container("", "")), all(), true},
		{"asks for zero", pod(container("cpu=0", "memory=0")), all(), true},
		{"one asks for something", pod(container("", ""), container("", "memory=1")), all(), false},
		{"an init container does", with(pod(container("", "")), func(p *corev1.Pod) { p.Spec.InitContainers = pod(container("cpu=1", "")).Spec.Containers }), all(), false},
		{"asks for storage", pod(container("ephemeral-storage=1", "")), all(), true},
		{"the pod as a whole does", level(pod(container("", "")), "cpu=1"), all(), false},
		{"the pod as a whole does, without the gate", level(pod(container("", "")), "cpu=1"), PodRules{}, true},
		{"the pod as a whole for nothing known", level(pod(container("cpu=1", "")), "example.com/gpu=1"), all(), false},
		{"the same, and that counts", level(pod(container("cpu=1", "")), "example.com/gpu=1"), PodRules{PodLevel: true}, true},
		{"the pod as a whole for huge pages", level(pod(container("cpu=1", "")), "hugepages-2Mi=2Mi"), all(), true},
	} {
		if got := tc.rules.bestEffort(tc.pod); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestAffinityAcrossNamespaces(t *testing.T) {
	terms := map[string]corev1.PodAffinityTerm{
		"slice":    {Namespaces: []string{"other"}},
		"selector": {NamespaceSelector: &metav1.LabelSelector{}},
		"":         {TopologyKey: "zone"},
	}
	places := map[string]func(corev1.PodAffinityTerm) *corev1.Affinity{
		"required": func(t corev1.PodAffinityTerm) *corev1.Affinity {
			return &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{t}}}
		},
		"preferred": func(t corev1.PodAffinityTerm) *corev1.Affinity {
			return &corev1.Affinity{PodAffinity: &corev1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: t}}}}
		},
		"anti, required": func(t corev1.PodAffinityTerm) *corev1.Affinity {
			return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{t}}}
		},
		"anti, preferred": func(t corev1.PodAffinityTerm) *corev1.Affinity {
			return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: t}}}}
		},
	}
	scope := scopes(corev1.ResourceQuotaScopeCrossNamespacePodAffinity)
	for place, affinity := range places {
		for kind, term := range terms {
			want := "pods=0"
			if kind != "" {
				want = "pods=1"
			}
			if got := usage(all(), &corev1.Pod{Spec: corev1.PodSpec{Affinity: affinity(term)}}, "pods", scope...); got != want {
				t.Errorf("%s %s: %s", place, kind, got)
			}
		}
	}
	if got := usage(all(), &corev1.Pod{}, "pods", scope...); got != "pods=0" {
		t.Errorf("without any: %s", got)
	}
}
