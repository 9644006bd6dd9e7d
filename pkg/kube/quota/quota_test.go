// SPDX-License-Identifier: Apache-2.0

package quota

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// list reads "cpu=1 memory=2Gi".
func list(s string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for _, entry := range strings.Fields(s) {
		name, q, _ := strings.Cut(entry, "=")
		l[corev1.ResourceName(name)] = resource.MustParse(q)
	}
	return l
}

// text is the opposite of list, in order.
func text(l corev1.ResourceList) string {
	var entries []string
	for _, name := range Names(l) {
		entries = append(entries, string(name)+"="+l.Name(name, resource.DecimalSI).String())
	}
	return strings.Join(entries, " ")
}

// names of a list, or of a text of names.
func names(s string) (list []corev1.ResourceName) {
	for _, n := range strings.Fields(s) {
		list = append(list, corev1.ResourceName(n))
	}
	return list
}

func scopes(s ...corev1.ResourceQuotaScope) []Scope {
	return ScopesOf(&corev1.ResourceQuotaSpec{Scopes: s})
}

func selecting(scope corev1.ResourceQuotaScope, op corev1.ScopeSelectorOperator, values ...string) []Scope {
	return ScopesOf(&corev1.ResourceQuotaSpec{ScopeSelector: &corev1.ScopeSelector{
		MatchExpressions: []corev1.ScopedResourceSelectorRequirement{{ScopeName: scope, Operator: op, Values: values}},
	}})
}

// fixed evaluates to what it is.
type fixed map[corev1.ResourceName]string

func (f fixed) Matches(name corev1.ResourceName) bool { return f[name] != "" && f[name][0] != '!' }
func (f fixed) Measure(_ string, _ []Scope, sum Sum) {
	for name, q := range f {
		sum.Add(name, resource.MustParse(strings.TrimPrefix(q, "!")))
	}
}

func TestCalculate(t *testing.T) {
	for _, tc := range []struct {
		name       string
		evaluators []Evaluator
		names      string
		want       string
	}{
		{"nothing", nil, "cpu", ""},
		{"only what is asked for", []Evaluator{fixed{"cpu": "1", "memory": "2"}}, "cpu", "cpu=1"},
		{"only what is matched", []Evaluator{fixed{"cpu": "1"}}, "cpu unknown", "cpu=1"},
		{"added up", []Evaluator{fixed{"x": "1"}, fixed{"x": "2", "y": "3"}}, "x y", "x=3 y=3"},
		{"without objects", []Evaluator{fixed{"x": "0"}}, "x", "x=0"},
		// What one evaluator matches, another may add to.
		{"added without a match", []Evaluator{fixed{"x": "1"}, fixed{"y": "1", "x": "!4"}}, "x y", "x=5 y=1"},
		{"not asked, as nothing matches", []Evaluator{fixed{"x": "1"}, fixed{"y": "1", "x": "!4"}}, "x", "x=1"},
		{"the first suffix stays", []Evaluator{fixed{"m": "0"}, fixed{"m": "1Gi"}, fixed{"m": "1G"}}, "m", "m=2073741824"},
	} {
		if got := text(Calculate(tc.evaluators, "ns", names(tc.names), nil)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	sum := Calculate([]Evaluator{fixed{"m": "1Gi"}, fixed{"m": "1Gi"}}, "", names("m"), nil)
	if got := sum.Name("m", ""); got.String() != "2Gi" {
		t.Errorf("the sum is printed as %s", got)
	}
}

func TestCounting(t *testing.T) {
	in := func(string) int { return 3 }
	for _, tc := range []struct {
		resource string
		scopes   []Scope
		want     string
	}{
		{"secrets", nil, "count/secrets=3 secrets=3"},
		{"configmaps", nil, "configmaps=3 count/configmaps=3"},
		{"resourcequotas", nil, "count/resourcequotas=3 resourcequotas=3"},
		{"replicationcontrollers", nil, "count/replicationcontrollers=3 replicationcontrollers=3"},
		{"serviceaccounts", nil, "count/serviceaccounts=3"},
		{"replicasets.apps", nil, "count/replicasets.apps=3"},
		{"secrets.example.com", nil, "count/secrets.example.com=3"},
		{"secrets", scopes(corev1.ResourceQuotaScopeBestEffort), "count/secrets=0 secrets=0"},
	} {
		e := Counting{Resource: schema.ParseGroupResource(tc.resource), In: in}
		asked := slices.Collect(maps.Keys(list("count/" + tc.resource + "=0 secrets=0 configmaps=0 resourcequotas=0 replicationcontrollers=0 serviceaccounts=0")))
		if got := text(Calculate([]Evaluator{e}, "ns", asked, tc.scopes)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.resource, got, tc.want)
		}
	}
	gone := Counting{Resource: schema.ParseGroupResource("widgets.example.com")}
	if got := text(Calculate([]Evaluator{gone}, "ns", names("count/widgets.example.com"), nil)); got != "count/widgets.example.com=0" {
		t.Errorf("got %q of what does not exist", got)
	}
}

func TestCounted(t *testing.T) {
	for name, want := range map[corev1.ResourceName]string{
		"count/pods": "pods", "count/replicasets.apps": "replicasets.apps", "count/a.b.c": "a.b.c", "pods": "", "count/": "", "requests.cpu": "",
	} {
		r, counts := Counted(name)
		if counts != (want != "") || counts && (r.String() != want || CountName(r) != name) {
			t.Errorf("%s: %s, %v", name, r, counts)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"cpu=1", "cpu=1000m", true},
		{"cpu=1", "cpu=2", false},
		{"cpu=1", "memory=1", false},
		{"cpu=1 memory=1", "cpu=1", false},
		{"x=1Gi", "x=1073741824", true},
	} {
		if got := Equal(list(tc.a), list(tc.b)); got != tc.want {
			t.Errorf("%q and %q: %v", tc.a, tc.b, got)
		}
	}
	if !Equal(nil, corev1.ResourceList{}) {
		t.Error("no list differs from an empty one")
	}
}

func TestScopes(t *testing.T) {
	const class = corev1.ResourceQuotaScopePriorityClass
	long := strings.Repeat("x", 64)
	for _, tc := range []struct {
		name   string
		op     corev1.ScopeSelectorOperator
		values []string
		of     []string
		want   bool
		fails  bool
	}{
		{"in", corev1.ScopeSelectorOpIn, []string{"a", "b"}, []string{"b"}, true, false},
		{"in, another", corev1.ScopeSelectorOpIn, []string{"a", "b"}, []string{"c"}, false, false},
		{"in, none", corev1.ScopeSelectorOpIn, []string{"a"}, nil, false, false},
		{"in, one of several", corev1.ScopeSelectorOpIn, []string{"a"}, []string{"c", "a"}, true, false},
		{"not in", corev1.ScopeSelectorOpNotIn, []string{"a"}, []string{"b"}, true, false},
		{"not in, in", corev1.ScopeSelectorOpNotIn, []string{"a"}, []string{"a"}, false, false},
		{"not in, none", corev1.ScopeSelectorOpNotIn, []string{"a"}, nil, true, false},
		{"exists", corev1.ScopeSelectorOpExists, nil, []string{"a"}, true, false},
		{"exists, none", corev1.ScopeSelectorOpExists, nil, nil, false, false},
		{"exists with values", corev1.ScopeSelectorOpExists, []string{"b"}, []string{"a"}, true, false},
		{"does not exist", corev1.ScopeSelectorOpDoesNotExist, nil, nil, true, false},
		{"does not exist, but does", corev1.ScopeSelectorOpDoesNotExist, nil, []string{"a"}, false, false},
		{"no operator", "", nil, []string{"a"}, false, true},
		{"bad operator", "Near", []string{"a"}, []string{"a"}, false, true},
		{"in nothing", corev1.ScopeSelectorOpIn, nil, []string{"a"}, false, true},
		{"no value of a label", corev1.ScopeSelectorOpIn, []string{long}, []string{long}, false, true},
		{"absent values", corev1.ScopeSelectorOpDoesNotExist, []string{"a"}, nil, false, true},
	} {
		got, err := selecting(class, tc.op, tc.values...)[0].finds(tc.of...)
		if got != tc.want || (err != nil) != tc.fails {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
	}
}

// A condition that makes no sense ends the summation, and what was added stays.
func TestSenselessCondition(t *testing.T) {
	pods := []*corev1.Pod{{}, {}}
	e := Pods{In: func(string) []*corev1.Pod { return pods }, Now: clock}
	got := Calculate([]Evaluator{e}, "ns", names("pods"), selecting(corev1.ResourceQuotaScopePriorityClass, "Near"))
	if text(got) != "pods=0" {
		t.Errorf("got %v", got)
	}
	var seen []int
	measure([]int{1, 2, 3}, make([]Scope, 1), func(n int, _ Scope) (bool, error) {
		if n == 2 {
			return true, errors.New("makes no sense")
		}
		return true, nil
	}, func(n int) { seen = append(seen, n) })
	if diff := cmp.Diff([]int{1}, seen); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
}

func TestServices(t *testing.T) {
	service := func(kind corev1.ServiceType, allocate *bool, nodePorts ...int32) *corev1.Service {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: kind, AllocateLoadBalancerNodePorts: allocate}}
		for _, p := range nodePorts {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{NodePort: p})
		}
		return s
	}
	for _, tc := range []struct {
		name             string
		service          *corev1.Service
		ports, balancers string
	}{
		{"cluster IP", service(corev1.ServiceTypeClusterIP, nil, 0, 0), "0", "0"},
		{"external name", service(corev1.ServiceTypeExternalName, nil), "0", "0"},
		{"node ports", service(corev1.ServiceTypeNodePort, nil, 30000, 0), "2", "0"},
		{"load balancer", service(corev1.ServiceTypeLoadBalancer, nil, 0, 0), "2", "1"},
		{"allocating", service(corev1.ServiceTypeLoadBalancer, new(true), 0, 30000), "2", "1"},
		{"not allocating", service(corev1.ServiceTypeLoadBalancer, new(false), 0, 0), "0", "1"},
		{"not allocating, but one", service(corev1.ServiceTypeLoadBalancer, new(false), 0, 30000), "1", "1"},
	} {
		e := Services{In: func(string) []*corev1.Service { return []*corev1.Service{tc.service} }}
		asked := names("services count/services services.nodeports services.loadbalancers pods")
		want := "count/services=1 services=1 services.loadbalancers=" + tc.balancers + " services.nodeports=" + tc.ports
		if got := text(Calculate([]Evaluator{e}, "ns", asked, nil)); got != want {
			t.Errorf("%s: got %q, want %q", tc.name, got, want)
		}
		if got := text(Calculate([]Evaluator{e}, "ns", names("services"), scopes(corev1.ResourceQuotaScopeNotTerminating))); got != "services=0" {
			t.Errorf("%s, in a scope: %q", tc.name, got)
		}
	}
}

func TestServiceType(t *testing.T) {
	for kind, want := range map[corev1.ServiceType]corev1.ServiceType{
		corev1.ServiceTypeNodePort: "NodePort", corev1.ServiceTypeLoadBalancer: "LoadBalancer",
		corev1.ServiceTypeClusterIP: "", corev1.ServiceTypeExternalName: "", "": "",
	} {
		if got := ServiceType(&corev1.Service{Spec: corev1.ServiceSpec{Type: kind}}); got != want {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func volumeClaim(asked, given string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{}
	if asked != "" {
		c.Spec.Resources.Requests = list("storage=" + asked)
	}
	if given != "" {
		c.Status.AllocatedResources = list("storage=" + given)
	}
	return c
}

func TestVolumeClaims(t *testing.T) {
	class := func(c *corev1.PersistentVolumeClaim, name string) *corev1.PersistentVolumeClaim {
		c.Spec.StorageClassName = &name
		return c
	}
	annotated := class(volumeClaim("1Gi", ""), "silver")
	annotated.ObjectMeta = metav1.ObjectMeta{Annotations: map[string]string{corev1.BetaStorageClassAnnotation: "gold"}}
	const counts = "count/persistentvolumeclaims=1 "
	for _, tc := range []struct {
		name  string
		claim *corev1.PersistentVolumeClaim
		want  string
	}{
		{"plain", volumeClaim("1Gi", ""), "persistentvolumeclaims=1 requests.storage=1Gi"},
		{"a fraction", volumeClaim("1001m", ""), "persistentvolumeclaims=1 requests.storage=2"},
		{"given more", volumeClaim("5G", "10G"), "persistentvolumeclaims=1 requests.storage=10G"},
		{"given less", volumeClaim("10G", "5G"), "persistentvolumeclaims=1 requests.storage=10G"},
		{"given a fraction more", volumeClaim("2", "2001m"), "persistentvolumeclaims=1 requests.storage=3"},
		{"asks for nothing", volumeClaim("", "10G"), "persistentvolumeclaims=1 requests.storage=0"},
		{"of a class", class(volumeClaim("1Gi", ""), "gold"), "gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 " +
			"gold.storageclass.storage.k8s.io/requests.storage=1Gi persistentvolumeclaims=1 requests.storage=1Gi"},
		{"of an annotated class", annotated, "gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 " +
			"gold.storageclass.storage.k8s.io/requests.storage=1Gi persistentvolumeclaims=1 requests.storage=1Gi"},
		{"without any class", class(volumeClaim("1Gi", ""), ""), "persistentvolumeclaims=1 requests.storage=1Gi"},
	} {
		e := VolumeClaims{In: func(string) []*corev1.PersistentVolumeClaim { return []*corev1.PersistentVolumeClaim{tc.claim} }}
		asked := append(Names(list(tc.want)), countVolumeClaims, "pods")
		if got := text(Calculate([]Evaluator{e}, "ns", asked, nil)); got != counts+tc.want {
			t.Errorf("%s:\n got %q\nwant %q", tc.name, got, counts+tc.want)
		}
		if got := text(Calculate([]Evaluator{e}, "ns", names("persistentvolumeclaims"), scopes(corev1.ResourceQuotaScopeBestEffort))); got != "persistentvolumeclaims=0" {
			t.Errorf("%s, in a scope of pods: %q", tc.name, got)
		}
	}
	if given := volumeClaim("1001m", ""); given.Spec.Resources.Requests.Storage().String() != "1001m" {
		t.Error("the claim was changed")
	}
}

func TestAttributesClasses(t *testing.T) {
	const scope = corev1.ResourceQuotaScopeVolumeAttributesClass
	bare, wants, has, shall := volumeClaim("1", ""), volumeClaim("1", ""), volumeClaim("1", ""), volumeClaim("1", "")
	wants.Spec.VolumeAttributesClassName = new("gold")
	has.Status.CurrentVolumeAttributesClassName = new("gold")
	has.Spec.VolumeAttributesClassName = new("silver")
	shall.Status.ModifyVolumeStatus = &corev1.ModifyVolumeStatus{TargetVolumeAttributesClassName: "gold"}
	e := VolumeClaims{In: func(string) []*corev1.PersistentVolumeClaim {
		return []*corev1.PersistentVolumeClaim{bare, wants, has, shall}
	}}
	for _, tc := range []struct {
		name   string
		scopes []Scope
		want   string
	}{
		{"any", scopes(scope), "3"},
		{"exists", selecting(scope, corev1.ScopeSelectorOpExists), "3"},
		{"in", selecting(scope, corev1.ScopeSelectorOpIn, "gold"), "3"},
		{"in another", selecting(scope, corev1.ScopeSelectorOpIn, "silver"), "1"},
		{"not in", selecting(scope, corev1.ScopeSelectorOpNotIn, "gold"), "2"}, // none, and one with another too
		{"none", selecting(scope, corev1.ScopeSelectorOpDoesNotExist), "1"},
	} {
		if got := text(Calculate([]Evaluator{e}, "ns", names("persistentvolumeclaims"), tc.scopes)); got != "persistentvolumeclaims="+tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
