// SPDX-License-Identifier: Apache-2.0

package announce

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/event"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

var shared = testkit.Shared{}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(identity string, at time.Time) Entry {
	return Entry{Identity: identity, Role: roleStandby, Outcome: Applied, Hash: "h", Generation: 1, Time: at}
}

func identities(annotations map[string]string) (list []string) {
	for _, e := range Entries(annotations) {
		list = append(list, e.Identity)
	}
	return list
}

func TestAnnotations(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, changed := annotate(map[string]string{"others": "stay"}, entry("a", start), "")
	if !changed || first["others"] != "stay" || len(first) != 2 {
		t.Fatalf("%v, %v", first, changed)
	}
	if _, changed = annotate(first, entry("a", start.Add(renewed-time.Second)), ""); changed {
		t.Error("the same verdict is written anew")
	}
	if _, changed = annotate(first, entry("a", start.Add(renewed)), ""); !changed {
		t.Error("a verdict is not renewed")
	}
	leader := entry("b", start.Add(time.Minute))
	leader.Role, leader.Generation = roleLeader, 7
	both, _ := annotate(first, leader, "effect")
	if both[AnnotationGeneration] != "7" || both[AnnotationHash] != "effect" {
		t.Errorf("%v", both)
	}
	if diff := cmp.Diff([]string{"b", "a"}, identities(both)); diff != "" {
		t.Error(diff)
	}
	both[AnnotationPrefix+"nonsense"] = "{"
	late, _ := annotate(both, entry("c", start.Add(stale+time.Second)), "")
	if diff := cmp.Diff([]string{"c", "b"}, identities(late)); diff != "" || len(late) != 5 {
		t.Errorf("what is old or none stays: %v\n%s", late, diff)
	}
}

func TestAnnotationsAreBounded(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all map[string]string
	for i := range 3 * kept {
		e := entry(fmt.Sprint(i), start.Add(time.Duration(i)*time.Second))
		e.Message = brief(strings.Repeat("ü", 10_000) + "\nmore")
		all, _ = annotate(all, e, "")
	}
	if n := len(Entries(all)); n != kept || identities(all)[0] != fmt.Sprint(3*kept-1) {
		t.Errorf("%d entries, the newest of %s", n, identities(all)[0])
	}
	size := 0
	for k, v := range all {
		size += len(k) + len(v)
	}
	if size > 16<<10 {
		t.Errorf("%d bytes of annotations", size)
	}
}

func FuzzAnnotations(f *testing.F) {
	f.Add("a", "m", `{"identity":"a"}`)
	f.Fuzz(func(t *testing.T, identity, message, other string) {
		own := entry(identity+"x", time.Unix(1, 0).UTC())
		own.Message = brief(message)
		now, _ := annotate(map[string]string{Key("other"): other}, own, "")
		if len(own.Message) > longest || len(now) > 2 || now[Key(own.Identity)] == "" {
			t.Errorf("%v", now)
		}
	})
}

type process struct {
	*Announcer
	hub *metrics.Hub
}

// serve runs an announcer with the manager's own rights.
func serve(t *testing.T, plane *testkit.Plane, identity, lease, candidate string) process {
	t.Helper()
	client, err := kubernetes.NewForConfig(plane.ManagerConfig())
	do(t, err)
	p := process{hub: metrics.NewHub()}
	p.Announcer = New(Options{Identity: identity, Registry: p.hub.Process, Logger: klog.Background()})
	events := event.NewRecorder("kube-controller-manager", client.CoreV1(), clock.RealClock{}, klog.Background())
	events.Start()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Serve(ctx, Target{Client: client, Namespace: "kube-system", Lease: lease, Candidate: candidate, Events: events})
	}()
	t.Cleanup(func() { cancel(); <-done; events.Stop(ctx) })
	return p
}

// series are those of the verdict, as VERDICT HASH ROLE.
func (p process) series(t *testing.T) (list []string) {
	t.Helper()
	families, err := p.hub.Process.Gather()
	do(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == "kube_controller_manager_config_verdict" && m.GetGauge().GetValue() == 1 {
				list = append(list, labels["verdict"]+" "+labels["hash"]+" "+labels["role"])
			}
		}
	}
	return list
}

func TestLeaseTellsWhatRuns(t *testing.T) {
	plane, ctx := shared.Plane(t), context.Background()
	name := "tells-" + string(uuid.NewUUID())[:8]
	admin, err := kubernetes.NewForConfig(plane.AdminConfig())
	do(t, err)
	leases := admin.CoordinationV1().Leases("kube-system")
	leader, standby := serve(t, plane, "host_a", name, ""), serve(t, plane, "host_b", name, "")
	leader.Lead(true)
	leader.Announce(Verdict{Generation: 1, Hash: "one", Effect: "one", Outcome: Applied, Message: "start x"})
	// The Lease comes later than the verdict.
	holder := coordinationv1.LeaseSpec{HolderIdentity: ptr.To("host_a"), LeaseDurationSeconds: ptr.To[int32](15), LeaseTransitions: ptr.To[int32](3)}
	_, err = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: holder}, metav1.CreateOptions{})
	do(t, err)
	standby.Announce(Verdict{Generation: 1, Hash: "two", Effect: "one", Outcome: Rejected, Message: "c.yaml:3: no\nmore"})

	var lease *coordinationv1.Lease
	testkit.Eventually(t, 30*time.Second, func() error {
		if lease, err = leases.Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		if n := len(Entries(lease.Annotations)); n != 2 {
			return fmt.Errorf("%d entries", n)
		}
		return nil
	})
	if lease.Annotations[AnnotationGeneration] != "1" || lease.Annotations[AnnotationHash] != "one" {
		t.Errorf("annotations %v", lease.Annotations)
	}
	if diff := cmp.Diff(holder, lease.Spec); diff != "" {
		t.Errorf("the holder's part was touched (-want +got)\n%s", diff)
	}
	for _, e := range Entries(lease.Annotations) {
		e.Time = time.Time{}
		want := Entry{Identity: "host_a", Role: "leader", Outcome: Applied, Hash: "one", Generation: 1, Message: "start x"}
		if e.Identity == "host_b" {
			want = Entry{Identity: "host_b", Role: "standby", Outcome: Rejected, Hash: "two", Generation: 1, Message: "c.yaml:3: no"}
		}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"Rejected two standby"}, standby.series(t)); diff != "" {
		t.Error(diff)
	}
	leader.Announce(Verdict{Generation: 2, Hash: "three", Effect: "one", Outcome: RolledBack, Message: "x failed"})
	if diff := cmp.Diff([]string{"RolledBack three leader"}, leader.series(t)); diff != "" {
		t.Error(diff)
	}
	told := map[string]string{
		"ConfigurationApplied":    "Normal generation 1, config one, leader host_a: start x",
		"ConfigurationRejected":   "Warning generation 1, config two, standby host_b: c.yaml:3: no",
		"ConfigurationRolledBack": "Warning generation 2, config three, leader host_a: x failed",
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		events, err := admin.CoreV1().Events("kube-system").List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + name + ",involvedObject.uid=" + string(lease.UID)})
		if err != nil {
			return err
		}
		got := map[string]string{}
		for _, e := range events.Items {
			got[e.Reason] = e.Type + " " + e.Message
		}
		if diff := cmp.Diff(told, got); diff != "" {
			return fmt.Errorf("events (-want +got)\n%s", diff)
		}
		return nil
	})
}

func TestNothingWaitsForAnnouncements(t *testing.T) {
	a := New(Options{Identity: "a", Registry: metrics.NewHub().Process, Logger: klog.Background()})
	for i := range 10 * waiting {
		a.Announce(Verdict{Generation: i, Outcome: Applied})
	}
	if events := a.takeEvents(); len(events) != waiting || events[waiting-1].Generation != 10*waiting-1 {
		t.Errorf("%d events wait", len(events))
	}
}

func TestCandidateTellsItsVerdict(t *testing.T) {
	plane, ctx := testkit.StartForTest(t, testkit.Options{
		FeatureGates:  map[string]bool{"CoordinatedLeaderElection": true},
		RuntimeConfig: map[string]string{"coordination.k8s.io/v1beta1": "true"},
	}), context.Background()
	admin, err := kubernetes.NewForConfig(plane.AdminConfig())
	do(t, err)
	_, err = admin.CoordinationV1().Leases("kube-system").Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "tells"},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To("b"), LeaseDurationSeconds: ptr.To[int32](3600), RenewTime: ptr.To(metav1.NowMicro())}}, metav1.CreateOptions{})
	do(t, err)
	now := metav1.NowMicro()
	c := &coordinationv1beta1.LeaseCandidate{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: coordinationv1beta1.LeaseCandidateSpec{
		LeaseName: "tells", BinaryVersion: "1.37.2", EmulationVersion: "1.37.0", Strategy: coordinationv1.OldestEmulationVersion, RenewTime: &now}}
	_, err = admin.CoordinationV1beta1().LeaseCandidates("kube-system").Create(ctx, c, metav1.CreateOptions{})
	do(t, err)
	p := serve(t, plane, "a", "tells", "a")
	p.Announce(Verdict{Hash: "one", Outcome: Rejected, Message: "no"})
	testkit.Eventually(t, 30*time.Second, func() error {
		c, err := admin.CoordinationV1beta1().LeaseCandidates("kube-system").Get(ctx, "a", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if list := Entries(c.Annotations); len(list) != 1 || list[0].Outcome != Rejected || c.Spec.LeaseName != "tells" {
			return fmt.Errorf("candidate %+v", c)
		}
		return nil
	})
}
