// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const patience = 30 * time.Second

// runner is a process that contends.
type runner struct {
	t       *testing.T
	elector *Elector
	stop    func() error

	mu     sync.Mutex
	leads  bool
	terms  int
	lines  []string
	result error // of lead
}

// onLease are times that make a test short.
func onLease(name string) v1beta1.LeaderElection {
	var le v1beta1.LeaderElection
	tags.SetDefaults(&le)
	le.ResourceName = name
	le.LeaseDuration = metav1.Duration{Duration: 3 * time.Second}
	le.RenewDeadline = metav1.Duration{Duration: 2 * time.Second}
	le.RetryPeriod = metav1.Duration{Duration: 300 * time.Millisecond}
	return le
}

// unique is a name that no other run of the test has used.
func unique(name string) string { return name + "-" + string(uuid.NewUUID())[:8] }

// contend runs an elector with the manager's own rights until the test's end.
func contend(t *testing.T, plane *testkit.Plane, identity string, le v1beta1.LeaderElection, coordinated bool) *runner {
	t.Helper()
	r := &runner{t: t}
	logger := funcr.New(func(_, args string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lines = append(r.lines, args)
	}, funcr.Options{Verbosity: 0})
	var err error
	r.elector, err = New(Options{Election: le, Client: plane.ManagerConfig(), Identity: identity, Logger: logger, Coordinated: coordinated})
	do(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.elector.Run(ctx, r.lead) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Logf("%s ended with %v", identity, err)
		}
		if t.Failed() {
			t.Logf("%s logged:\n%s", identity, r.logged())
		}
	})
	return r
}

func (r *runner) lead(ctx context.Context) error {
	r.set(true)
	<-ctx.Done()
	r.set(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result
}

func (r *runner) set(leads bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leads = leads
	if leads {
		r.terms++
	}
}

func (r *runner) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// await waits until the runner leads, for the nth time, or does not lead.
func (r *runner) await(leads bool, terms int) {
	r.t.Helper()
	testkit.Eventually(r.t, patience, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.leads != leads || r.terms != terms {
			return fmt.Errorf("leads %v in term %d, want %v in term %d", r.leads, r.terms, leads, terms)
		}
		return nil
	})
}

func admin(t *testing.T, plane *testkit.Plane) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(plane.AdminConfig())
	do(t, err)
	return c
}

func lease(t *testing.T, plane *testkit.Plane, name string) *coordinationv1.Lease {
	t.Helper()
	l, err := admin(t, plane).CoordinationV1().Leases("kube-system").Get(context.Background(), name, metav1.GetOptions{})
	do(t, err)
	return l
}

// change edits the lease until nobody was faster.
func change(t *testing.T, plane *testkit.Plane, name string, edit func(*coordinationv1.Lease)) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		l := lease(t, plane, name)
		edit(l)
		_, err := admin(t, plane).CoordinationV1().Leases("kube-system").Update(context.Background(), l, metav1.UpdateOptions{})
		return err
	})
}

func TestReleaseIsNoticedAtOnce(t *testing.T) {
	plane, name := shared.Plane(t), unique("released")
	testkit.NoLeaks(t)
	le := onLease(name)
	le.LeaseDuration.Duration, le.RenewDeadline.Duration, le.RetryPeriod.Duration = time.Hour, 30*time.Minute, 20*time.Minute
	a := contend(t, plane, "a", le, false)
	a.await(true, 1)
	b := contend(t, plane, "b", le, false)
	testkit.Eventually(t, patience, func() error {
		if h := b.elector.Holder(); h != "a" {
			return fmt.Errorf("b sees %q", h)
		}
		return nil
	})
	do(t, a.stop())
	b.await(true, 1)
	if l := lease(t, plane, name); *l.Spec.HolderIdentity != "b" || *l.Spec.LeaseTransitions != 1 {
		t.Errorf("%s after %d transitions", *l.Spec.HolderIdentity, *l.Spec.LeaseTransitions)
	}
	for _, noise := range []string{"Failed to renew", "context canceled", "lost"} {
		if strings.Contains(a.logged(), noise) {
			t.Errorf("an orderly end logs %q:\n%s", noise, a.logged())
		}
	}
}

func TestDeletedLeaseIsMadeAnew(t *testing.T) {
	plane, name := shared.Plane(t), unique("deleted")
	a := contend(t, plane, "a", onLease(name), false)
	a.await(true, 1)
	was := lease(t, plane, name).UID
	do(t, admin(t, plane).CoordinationV1().Leases("kube-system").Delete(context.Background(), name, metav1.DeleteOptions{}))
	testkit.Eventually(t, patience, func() error {
		l, err := admin(t, plane).CoordinationV1().Leases("kube-system").Get(context.Background(), name, metav1.GetOptions{})
		if err == nil && l.UID == was {
			err = fmt.Errorf("not deleted yet")
		}
		return err
	})
	a.await(true, 1)
}

// Who finds another holder in the lease has lost it: it stops at once, and
// contends again without an end of the process.
func TestStolenLeaseEndsTheTerm(t *testing.T) {
	plane, name := shared.Plane(t), unique("stolen")
	le := onLease(name)
	le.RenewDeadline.Duration, le.LeaseDuration.Duration = 20*time.Minute, time.Hour
	a := contend(t, plane, "a", le, false)
	a.await(true, 1)
	change(t, plane, name, func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("thief") })
	a.await(false, 1)
	if h := *lease(t, plane, name).Spec.HolderIdentity; h != "thief" {
		t.Errorf("the lease of another was released or taken: %q", h)
	}
	if log := a.logged(); !strings.Contains(log, "leaderelection lost") || !strings.Contains(log, "thief holds it") {
		t.Errorf("log:\n%s", log)
	}
	change(t, plane, name, func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
	a.await(true, 2)
}

func TestAnnotationsOutliveRenewals(t *testing.T) {
	plane, name := shared.Plane(t), unique("annotated")
	a := contend(t, plane, "a", onLease(name), false)
	a.await(true, 1)
	change(t, plane, name, func(l *coordinationv1.Lease) { l.Annotations = map[string]string{"who": "somebody"} })
	at := lease(t, plane, name).Spec.RenewTime.Time
	testkit.Eventually(t, patience, func() error {
		if l := lease(t, plane, name); l.Spec.RenewTime.Sub(at) < time.Second {
			return fmt.Errorf("renewed at %s", l.Spec.RenewTime)
		}
		return nil
	})
	do(t, a.stop())
	l := lease(t, plane, name)
	if l.Annotations["who"] != "somebody" || *l.Spec.HolderIdentity != "" {
		t.Errorf("after renewals and the release: %v, held by %q", l.Annotations, *l.Spec.HolderIdentity)
	}
	if a.terms != 1 {
		t.Errorf("an annotation ended the term")
	}
}

func TestStuckWorkKeepsTheLease(t *testing.T) {
	plane, name := shared.Plane(t), unique("stuck")
	a := contend(t, plane, "a", onLease(name), false)
	a.await(true, 1)
	a.mu.Lock()
	a.result = fmt.Errorf("%w: x does not stop", ErrHold)
	a.mu.Unlock()
	if err := a.stop(); err == nil || !strings.Contains(err.Error(), "x does not stop") {
		t.Errorf("ended with %v", err)
	}
	if h := *lease(t, plane, name).Spec.HolderIdentity; h != "a" {
		t.Errorf("held by %q, want a", h)
	}
}

func TestOutageOfTheAPIServer(t *testing.T) {
	plane := testkit.StartForTest(t, testkit.Options{})
	a := contend(t, plane, "a", onLease("outage"), false)
	a.await(true, 1)
	plane.StopAPIServer()
	a.await(false, 1)
	if log := a.logged(); !strings.Contains(log, "it could not be renewed in time") {
		t.Errorf("log:\n%s", log)
	}
	do(t, plane.StartAPIServer(t.Context()))
	a.await(true, 2)
}
