// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestVersions(t *testing.T) {
	for git, want := range map[string]string{
		"v1.37.2": "1.37.2", "v1.38.0-alpha.1+abc": "1.38.0", "v1.37.2+k3s1": "1.37.2", "v0.0.0-master+$Format:%H$": "1.37.0", "": "1.37.0",
	} {
		if binary, emulated := versions(git); binary != want || emulated != "1.37.0" {
			t.Errorf("%q: %s emulates %s, want %s", git, binary, emulated, want)
		}
	}
}

// The control plane chooses among the candidates; the chosen one leads until
// another is preferred, and is a candidate again after that.
func TestControlPlaneChoosesTheLeader(t *testing.T) {
	plane := testkit.StartForTest(t, testkit.Options{
		FeatureGates:  map[string]bool{"CoordinatedLeaderElection": true},
		RuntimeConfig: map[string]string{"coordination.k8s.io/v1beta1": "true"},
	})
	le := onLease("coordinated")
	identity, err := Identity()
	do(t, err)
	a := contend(t, plane, identity, le, true)
	if err := a.elector.InformerSync(); err != nil {
		testkit.Eventually(t, patience, a.elector.InformerSync)
	}
	a.await(true, 1)
	c, err := admin(t, plane).CoordinationV1beta1().LeaseCandidates("kube-system").Get(context.Background(), identity, metav1.GetOptions{})
	do(t, err)
	if s := c.Spec; s.LeaseName != "coordinated" || s.Strategy != coordinationv1.OldestEmulationVersion || s.EmulationVersion != "1.37.0" || !strings.HasPrefix(s.BinaryVersion, "1.37.") {
		t.Errorf("candidate %+v", s)
	}
	b := contend(t, plane, "b", le, true)
	testkit.Eventually(t, patience, b.elector.InformerSync)
	started := time.Now()
	change(t, plane, "coordinated", func(l *coordinationv1.Lease) { l.Spec.PreferredHolder = ptr.To("b") })
	a.await(false, 1)
	if took := time.Since(started); took > le.RenewDeadline.Duration {
		t.Errorf("gave up after %s, which is when the renewals fail", took)
	}
	if log := a.logged(); !strings.Contains(log, "b is preferred") {
		t.Errorf("log:\n%s", log)
	}
	testkit.Eventually(t, patience, func() error {
		if h := lease(t, plane, "coordinated").Spec.HolderIdentity; ptr.Deref(h, "") == "" {
			return fmt.Errorf("nobody holds the lease")
		}
		return nil
	})
	testkit.Eventually(t, patience, func() error {
		a.mu.Lock()
		b.mu.Lock()
		defer a.mu.Unlock()
		defer b.mu.Unlock()
		if a.leads == b.leads {
			return fmt.Errorf("%d lead", map[bool]int{true: 2}[a.leads])
		}
		return nil
	})
}
