// SPDX-License-Identifier: Apache-2.0

package revision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/kube/revision"
)

// known is what other implementations make of this template.
const known = `{"spec":{"template":{"$patch":"replace","metadata":{"annotations":{"test":"value"},"labels":{"app":"foo"}},"spec":{"containers":[{"image":"test","imagePullPolicy":"Always","name":"test","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}}}`

func template() *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "foo"}, Annotations: map[string]string{"test": "value"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "test", Image: "test", ImagePullPolicy: corev1.PullAlways,
				TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
			}},
			DNSPolicy: corev1.DNSClusterFirst, RestartPolicy: corev1.RestartPolicyAlways, SchedulerName: "default-scheduler",
			SecurityContext: &corev1.PodSecurityContext{}, TerminationGracePeriodSeconds: ptr.To[int64](30),
		},
	}
}

func TestData(t *testing.T) {
	data, err := revision.Data(template())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(known, string(data)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	special := template()
	special.Annotations["test"] = "<a & b>"
	if data, _ = revision.Data(special); !strings.Contains(string(data), `\u003ca \u0026 b\u003e`) {
		t.Errorf("%s", data)
	}
}

func TestDataHash(t *testing.T) {
	old := strings.Replace(known, `"labels"`, `"creationTimestamp":null,"labels"`, 1)
	for _, tc := range []struct {
		data       string
		collisions int32
		want       string
	}{{known, 0, "776999688b"}, {old, 0, "c77f6d978"}, {known, 1, "776999688c"}, {old, 1, "c77f6d979"}} {
		if got := revision.DataHash([]byte(tc.data), tc.collisions); got != tc.want {
			t.Errorf("%d collisions: %s, want %s", tc.collisions, got, tc.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	r := &appsv1.ControllerRevision{}
	r.Data.Raw = []byte(known)
	got, err := revision.Template(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(template(), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, raw := range []string{`{"spec":{}}`, `{`, ""} {
		r.Data.Raw = []byte(raw)
		if got, err := revision.Template(r); err == nil {
			t.Errorf("%q holds %v", raw, got)
		}
	}
}

// What is read from a revision gives the revision again.
func FuzzTemplate(f *testing.F) {
	f.Add("app", "a<b", "img", int64(1<<40), "100m")
	f.Add("", "\x00", "", int64(-1), "1e3")
	f.Fuzz(func(t *testing.T, key, value, image string, grace int64, cpu string) {
		in := template()
		in.Labels = map[string]string{key: value}
		in.Spec.Containers[0].Image = image
		in.Spec.TerminationGracePeriodSeconds = ptr.To(grace % (1 << 53))
		if q, err := resource.ParseQuantity(cpu); err == nil {
			in.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: q}
		}
		data, err := revision.Data(in)
		if err != nil {
			t.Skip()
		}
		r := &appsv1.ControllerRevision{}
		r.Data.Raw = data
		out, err := revision.Template(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := revision.Data(out)
		if err != nil || string(again) != string(data) {
			t.Errorf("%s\nbecame %s (%v)", data, again, err)
		}
	})
}

func TestName(t *testing.T) {
	if got := revision.Name("web", "abc"); got != "web-abc" {
		t.Error(got)
	}
	if got := revision.Name(strings.Repeat("w", 230), "abc"); got != strings.Repeat("w", 223)+"-abc" {
		t.Error(got)
	}
}

func TestNew(t *testing.T) {
	owner := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "u", Annotations: map[string]string{"why": "so"}}}
	pod := template()
	r := revision.New(revision.Draft{Owner: owner, Kind: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), Template: pod, Data: []byte("d"),
		Name: "web-h", HashLabel: revision.HashLabel, Hash: "h", Number: 3})
	want := metav1.ObjectMeta{
		Namespace: "ns", Name: "web-h", Annotations: map[string]string{"why": "so"},
		Labels:          map[string]string{"app": "foo", "controller.kubernetes.io/hash": "h"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", UID: "u", Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}},
	}
	if diff := cmp.Diff(want, r.ObjectMeta); diff != "" || r.Revision != 3 || string(r.Data.Raw) != "d" {
		t.Errorf("number %d (-want +got)\n%s", r.Revision, diff)
	}
	r.Annotations["why"], r.Labels["app"] = "x", "x"
	if owner.Annotations["why"] != "so" || pod.Labels["app"] != "foo" {
		t.Error("the revision shares maps with its owner or template")
	}
}

// list reads "name:number:age:data".
func list(texts ...string) []*appsv1.ControllerRevision {
	var all []*appsv1.ControllerRevision
	for _, text := range texts {
		var number, age int
		parts := strings.Split(text, ":")
		_, _ = fmt.Sscan(parts[1], &number)
		_, _ = fmt.Sscan(parts[2], &age)
		r := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: parts[0], CreationTimestamp: metav1.NewTime(time.Unix(int64(1000-age), 0))}, Revision: int64(number)}
		r.Data.Raw = []byte(parts[3])
		all = append(all, r)
	}
	return all
}

func names(all []*appsv1.ControllerRevision) string {
	var list []string
	for _, r := range all {
		list = append(list, r.Name)
	}
	return strings.Join(list, " ")
}

func TestOrder(t *testing.T) {
	all := list("f:2:1:x", "e:2:2:y", "d:2:1:x", "c:10:9:z", "b:1:0:x", "a:2:1:y")
	if n := revision.Next(all); n != 11 {
		t.Errorf("next is %d", n)
	}
	revision.Sort(all)
	if got := names(all); got != "b e a d f c" {
		t.Errorf("order %s", got)
	}
	equal, others := revision.Find(all, []byte("x"))
	if names(equal) != "b d f" || names(others) != "e a c" {
		t.Errorf("equal %s, others %s", names(equal), names(others))
	}
	if n := revision.Next(nil); n != 1 {
		t.Errorf("the first is %d", n)
	}
}

func TestOldest(t *testing.T) {
	all := list("a:1:0:", "b:2:0:", "c:3:0:", "d:4:0:")
	live := func(r *appsv1.ControllerRevision) bool { return r.Name == "b" }
	for n, want := range map[int]string{-1: "", 0: "", 1: "a", 2: "a c", 3: "a c d", 9: "a c d"} {
		if got := names(revision.Oldest(all, n, live)); got != want {
			t.Errorf("%d oldest: %q, want %q", n, got, want)
		}
	}
}
