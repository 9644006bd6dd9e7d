// SPDX-License-Identifier: Apache-2.0

package statefulset

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// testSet has the UID "set".
func testSet(n int32, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "set", Generation: 2}}
	set.Spec.Replicas = ptr.To(n)
	set.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	set.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
	for _, f := range change {
		f(set)
	}
	return set
}

func parallel(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }

func rolling(partition int32, unavailable *intstr.IntOrString) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition, MaxUnavailable: unavailable}
	}
}

// testPod is described by words: its revision (new, old), its phase (pending,
// failed, succeeded; running otherwise), unready, leaving, unnamed.
func testPod(name, words string) *corev1.Pod {
	is := func(word string) bool { return slices.Contains(strings.Fields(words), word) }
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "uid", Labels: map[string]string{
		appsv1.StatefulSetPodNameLabel: name, appsv1.ControllerRevisionHashLabelKey: "new"}}}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{
		Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(epoch.Add(-10 * time.Second))}}}
	for word, phase := range map[string]corev1.PodPhase{"pending": corev1.PodPending, "failed": corev1.PodFailed, "succeeded": corev1.PodSucceeded} {
		if is(word) {
			pod.Status = corev1.PodStatus{Phase: phase}
		}
	}
	if is("unready") {
		pod.Status.Conditions = nil
	}
	if is("leaving") {
		pod.DeletionTimestamp = ptr.To(metav1.NewTime(epoch))
	}
	if is("unnamed") {
		delete(pod.Labels, appsv1.StatefulSetPodNameLabel)
	}
	if is("old") {
		pod.Labels[appsv1.ControllerRevisionHashLabelKey] = "old"
	}
	return pod
}

// testView gives the pods names from the given ordinal on; "-" is no pod.
func testView(set *appsv1.StatefulSet, first int32, pods ...string) *view {
	v := &view{set: set, now: epoch, current: "old", update: "new"}
	var list []*corev1.Pod
	for i, words := range pods {
		if words != "-" {
			list = append(list, testPod(podName(set, first+int32(i)), words))
		}
	}
	v.arrange(list)
	return v
}

func TestParse(t *testing.T) {
	for name, want := range map[string]string{
		"web-0": "web 0 true", "a-b-12": "a-b 12 true", "-3": " 3 true", "web-007": "web 7 true",
		"web-2147483647": "web 2147483647 true", "web-2147483648": "web -1 true", "web-99999999999999999999": "web -1 true",
		"web": " -1 false", "web-": " -1 false", "web-x": " -1 false", "web-1x": " -1 false", "": " -1 false",
	} {
		set, n, ok := parse(name)
		if got := fmt.Sprint(set, " ", n, " ", ok); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	pattern := regexp.MustCompile(`^(.*)-([0-9]+)$`)
	for _, name := range []string{"web-0", "a--1", "web-2147483648", "x", "-", "web-+1"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.ContainsAny(name, "\n\r") {
			t.Skip()
		}
		set, n, ok := parse(name)
		m := pattern.FindStringSubmatch(name)
		if ok != (m != nil) || ok && set != m[1] {
			t.Fatalf("%q is of %q (%v), want %q", name, set, ok, m)
		}
		if !ok {
			return
		}
		want, err := strconv.ParseInt(m[2], 10, 32)
		if err != nil {
			want = -1
		}
		if int64(n) != want {
			t.Errorf("%q is number %d, want %d", name, n, want)
		}
	})
}

func TestArrange(t *testing.T) {
	set := testSet(2, func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 3} })
	v := testView(set, 0)
	v.arrange([]*corev1.Pod{
		testPod("web-2", ""), testPod("web-04", ""), testPod("web-4", "old"), testPod("web-99999999999", ""), testPod("web-9", ""), testPod("web-5", ""),
	})
	var got []string
	for _, m := range v.slots {
		got = append(got, fmt.Sprint(m.name, " ", m.created(), " ", m.revision))
	}
	want := []string{"web-3 false new", "web-4 true old"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("slots (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff("9 5 2", ordinals(v.condemned)); diff != "" {
		t.Errorf("condemned (-want +got)\n%s", diff)
	}
}

func ordinals(members []*member) string {
	var list []string
	for _, m := range members {
		list = append(list, strconv.Itoa(int(m.ordinal)))
	}
	return strings.Join(list, " ")
}

func TestRevisionOfNew(t *testing.T) {
	from5 := func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 5} }
	current2 := func(s *appsv1.StatefulSet) { s.Status.CurrentReplicas = 2 }
	onDelete := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
	}
	for _, tc := range []struct {
		name    string
		change  []func(*appsv1.StatefulSet)
		ordinal int32
		want    string
	}{
		{"below the partition", []func(*appsv1.StatefulSet){rolling(2, nil), current2}, 1, "old"},
		{"at the partition", []func(*appsv1.StatefulSet){rolling(1, nil), current2}, 1, "new"},
		{"no block, among the current", []func(*appsv1.StatefulSet){current2}, 1, "old"},
		{"no block, above the current", []func(*appsv1.StatefulSet){current2}, 2, "new"},
		{"partition counts from the start", []func(*appsv1.StatefulSet){rolling(1, nil), from5}, 5, "old"},
		{"above it", []func(*appsv1.StatefulSet){rolling(1, nil), from5}, 6, "new"},
		{"on delete", []func(*appsv1.StatefulSet){onDelete, current2}, 0, "new"},
	} {
		v := view{set: testSet(3, tc.change...), current: "old", update: "new"}
		if got := v.revisionOfNew(tc.ordinal); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func (s step) String() string {
	var words []string
	for _, w := range []struct {
		on   bool
		word string
	}{{s.delete, "delete"}, {s.create, "create"}, {s.repair, "repair"}, {s.settle, "settle"}, {s.adjust, "adjust"}, {s.stop, "stop"}} {
		if w.on {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, " ")
}

func TestSlotStep(t *testing.T) {
	settled := claimState{settled: true}
	for _, tc := range []struct {
		pod               string
		claims            claimState
		ordered, parallel string
	}{
		{"-", settled, "create stop", "create"},
		{"-", claimState{stale: true}, "stop", "stop"},
		{"failed", settled, "delete stop", "delete stop"},
		{"succeeded", settled, "delete stop", "delete stop"},
		{"failed leaving", settled, "stop", "stop"},
		{"pending", settled, "repair settle stop", "repair settle"},
		{"unready", settled, "stop", ""},
		{"leaving", settled, "stop", ""},
		{"", settled, "", ""},
		{"old", settled, "", ""},
		{"unnamed", settled, "adjust", "adjust"},
		{"", claimState{}, "adjust", "adjust"},
	} {
		for _, p := range []bool{false, true} {
			set, want := testSet(1), tc.ordered
			if p {
				parallel(set)
				want = tc.parallel
			}
			v := testView(set, 0, tc.pod)
			if got := v.slotStep(v.slots[0], tc.claims).String(); got != want {
				t.Errorf("%q, parallel %v: %q, want %q", tc.pod, p, got, want)
			}
		}
	}
	late := testSet(1, func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 11 })
	v := testView(late, 0, "")
	if got := v.slotStep(v.slots[0], settled).String(); got != "stop" {
		t.Errorf("not available yet: %q", got)
	}
}

func TestCondemnedStep(t *testing.T) {
	for _, tc := range []struct {
		name              string
		pods              []string // of a set of one
		ordered, parallel string   // steps from the highest down
	}{
		{"healthy", []string{"", "", ""}, "delete stop, delete stop", "delete stop, delete stop"},
		{"leaving", []string{"", "", "leaving"}, "stop, delete stop", "stop, delete stop"},
		{"the highest broken, below a broken one", []string{"unready", "", "unready"}, "stop, delete stop", "delete stop, delete stop"},
		{"the highest broken", []string{"", "", "unready"}, "delete stop, delete stop", "delete stop, delete stop"},
		{"both broken", []string{"", "unready", "unready"}, "stop, delete stop", "delete stop, delete stop"},
		{"failed", []string{"", "", "failed"}, "delete stop, delete stop", "delete stop, delete stop"},
	} {
		for _, p := range []bool{false, true} {
			set, want := testSet(1), tc.ordered
			if p {
				parallel(set)
				want = tc.parallel
			}
			v := testView(set, 0, tc.pods...)
			var got []string
			for _, m := range v.condemned {
				got = append(got, v.condemnedStep(m, v.firstUnavailable()).String())
			}
			if g := strings.Join(got, ", "); g != want {
				t.Errorf("%s, parallel %v: %q, want %q", tc.name, p, g, want)
			}
		}
	}
}

func TestMaxUnavailable(t *testing.T) {
	for _, tc := range []struct {
		value    string
		replicas int32
		want     int
	}{{"", 5, 1}, {"3", 5, 3}, {"10%", 25, 2}, {"50%", 5, 2}, {"10%", 5, 1}, {"0", 5, 1}, {"100%", 5, 5}} {
		set := testSet(tc.replicas, rolling(0, nil))
		if tc.value != "" {
			set = testSet(tc.replicas, rolling(0, ptr.To(intstr.Parse(tc.value))))
		}
		if got, err := (&view{set: set}).maxUnavailable(); got != tc.want || err != nil {
			t.Errorf("%q of %d is %d (%v), want %d", tc.value, tc.replicas, got, err, tc.want)
		}
	}
	if n, err := (&view{set: testSet(3)}).maxUnavailable(); n != 1 || err != nil {
		t.Errorf("without a block it is %d (%v)", n, err)
	}
}

func TestOutdated(t *testing.T) {
	for _, tc := range []struct {
		name      string
		parallel  bool
		partition int32
		budget    int
		pods      []string
		want      string
	}{
		{"parallel, one and broken", true, 0, 1, []string{"old unready"}, "0"},
		{"parallel, the broken one uses the budget", true, 0, 1, []string{"old", "old", "old unready"}, "2"},
		{"parallel, two broken", true, 0, 2, []string{"old", "old", "old", "old unready", "old unready"}, "4 3"},
		{"parallel, the lowest broken", true, 0, 2, []string{"old unready", "old unready", "old", "old"}, "1 0"},
		{"parallel, broken ones and one more", true, 0, 3, []string{"old unready", "old unready", "old", "old", "old"}, "1 0 4"},
		{"parallel, one leaving", true, 0, 1, []string{"old", "old", "old leaving"}, ""},
		{"parallel, leaving and broken", true, 0, 3, []string{"old", "old", "old", "old unready", "old leaving"}, "3 2"},
		{"parallel, broken above the partition", true, 2, 1, []string{"old", "old", "old unready"}, "2"},
		{"parallel, broken below the partition", true, 2, 1, []string{"old", "old unready", "old"}, ""},
		{"parallel, lost", true, 0, 2, []string{"old", "-", "old"}, "2"},
		{"ordered, no budget left", false, 0, 1, []string{"old", "old", "old unready"}, ""},
		{"ordered, two", false, 0, 2, []string{"old", "old", "old", "old", "old"}, "4 3"},
		{"ordered, the broken one", false, 0, 2, []string{"old", "old", "old", "old", "old unready"}, "4"},
		{"ordered, leaving and broken", false, 0, 3, []string{"old", "old", "old", "old unready", "old leaving"}, "3"},
		{"ordered, the rest", false, 0, 3, []string{"old", "new", "new"}, "0"},
		{"partition beyond the end", false, 9, 3, []string{"old", "old"}, ""},
		{"done", false, 0, 3, []string{"new", "new"}, ""},
	} {
		set := testSet(int32(len(tc.pods)), rolling(tc.partition, nil))
		if tc.parallel {
			parallel(set)
		}
		if got := ordinals(testView(set, 0, tc.pods...).outdated(tc.budget)); got != tc.want {
			t.Errorf("%s: deletes %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestOutdatedOneByOne(t *testing.T) {
	for _, tc := range []struct {
		partition int32
		pods      []string
		want      string
	}{
		{0, []string{"old", "old", "old"}, "2"},
		{0, []string{"old", "old", "new"}, "1"},
		{0, []string{"old", "old", "new unready"}, ""},
		{0, []string{"old", "old unready", "new"}, "1"},
		{0, []string{"old", "old", "old leaving"}, ""},
		{2, []string{"old", "old", "new"}, ""},
		{0, []string{"new", "new", "new"}, ""},
	} {
		v := testView(testSet(int32(len(tc.pods)), rolling(tc.partition, nil)), 0, tc.pods...)
		if got := ordinals(v.outdatedOneByOne()); got != tc.want {
			t.Errorf("%v from %d: deletes %q, want %q", tc.pods, tc.partition, got, tc.want)
		}
	}
}

func TestSuperseded(t *testing.T) {
	v := testView(testSet(3), 0, "new", "old pending", "-", "old leaving", "new")
	doomed, any := v.superseded()
	if got := ordinals(doomed); got != "1" || !any {
		t.Errorf("deletes %q, there are some: %v", got, any)
	}
	v = testView(testSet(3), 0, "new", "-", "-", "new")
	if doomed, any := v.superseded(); len(doomed) > 0 || any {
		t.Errorf("deletes %q, there are some: %v", ordinals(doomed), any)
	}
}
