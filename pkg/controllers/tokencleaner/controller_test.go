// SPDX-License-Identifier: Apache-2.0

package tokencleaner_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/tokencleaner"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running controller whose time stands still but for the test.
type fixture struct {
	*harness.Harness

	t     *testing.T
	clock *clocktesting.FakeClock
	run   *harness.Run
}

func start(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t, clock: clocktesting.NewFakeClock(time.Now().Truncate(time.Second))}
	f.Kit.Clock = f.clock
	f.run = f.Start(tokencleaner.Descriptor(), nil)
	return f
}

// in is an expiration so far from now.
func (f *fixture) in(d time.Duration) string { return f.clock.Now().Add(d).UTC().Format(time.RFC3339) }

// create makes a Secret of a token with this expiration, which may be absent: "".
func (f *fixture) create(namespace, name, expiration string) *corev1.Secret {
	f.t.Helper()
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       "bootstrap.kubernetes.io/token",
		StringData: map[string]string{},
	}
	if expiration != "" {
		s.StringData["expiration"] = expiration
	}
	s, err := f.Admin.CoreV1().Secrets(namespace).Create(f.t.Context(), s, metav1.CreateOptions{})
	f.Must(err)
	return s
}

func (f *fixture) deleted(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.Eventually(func() error {
			_, err := f.Admin.CoreV1().Secrets("kube-system").Get(f.t.Context(), name, metav1.GetOptions{})
			if !apierrors.IsNotFound(err) {
				return fmt.Errorf("%s: got %v, want not found", name, err)
			}
			return nil
		})
	}
}

// kept says that these Secrets stay: one that is created now is deleted, and the
// controller has a single worker.
func (f *fixture) kept(names ...string) {
	f.t.Helper()
	f.create("kube-system", "last", "2020-01-01T00:00:00Z")
	f.deleted("last")
	for _, name := range names {
		_, err := f.Admin.CoreV1().Secrets("kube-system").Get(f.t.Context(), name, metav1.GetOptions{})
		f.Must(err)
	}
}

// step is more than 10 s, after which a delaying queue looks at all its keys.
const step = 11 * time.Second

func TestTokensAreDeletedInTime(t *testing.T) {
	f := start(t)
	f.create("kube-system", "never", "")
	f.create("kube-system", "past", f.in(-time.Second))
	f.create("kube-system", "now", f.in(0))
	f.create("kube-system", "garbage", "soon")
	f.create("kube-system", "future", f.in(step))
	f.create("kube-system", "farther", f.in(2*step))
	f.create("kube-system", "bootstrap-token-abc123", f.in(-time.Hour))
	f.create("default", "elsewhere", f.in(-time.Hour))
	_, err := f.Admin.CoreV1().Secrets("kube-system").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "opaque"}, StringData: map[string]string{"expiration": f.in(-time.Hour)},
	}, metav1.CreateOptions{})
	f.Must(err)

	f.deleted("past", "now", "garbage", "bootstrap-token-abc123")
	f.kept("never", "future", "farther", "opaque")
	f.clock.Step(step)
	f.deleted("future")
	f.kept("never", "farther", "opaque")
	f.clock.Step(step)
	f.deleted("farther")
	f.kept("never", "opaque")
	_, err = f.Admin.CoreV1().Secrets("default").Get(t.Context(), "elsewhere", metav1.GetOptions{})
	f.Must(err)
}

func TestTheExpirationMayChange(t *testing.T) {
	f := start(t)
	f.create("kube-system", "longer", f.in(step))
	f.create("kube-system", "shorter", f.in(time.Hour))
	f.create("kube-system", "added", "")
	f.create("kube-system", "removed", f.in(step))
	f.kept("longer", "shorter", "added", "removed")
	for name, expiration := range map[string]string{
		"longer": `"` + f.in(3*step) + `"`, "shorter": `"` + f.in(0) + `"`, "added": `"garbage"`, "removed": `""`,
	} {
		body := fmt.Appendf(nil, `{"stringData":{"expiration":%s}}`, expiration)
		_, err := f.Admin.CoreV1().Secrets("kube-system").Patch(t.Context(), name, types.MergePatchType, body, metav1.PatchOptions{})
		f.Must(err)
	}
	f.deleted("shorter", "added")
	f.kept("longer", "removed")
	f.clock.Step(step) // the time that it was to have
	f.kept("longer", "removed")
	f.clock.Step(2 * step)
	f.deleted("longer")
	f.kept("removed")
}

func TestAnotherOneOfThatName(t *testing.T) {
	f := start(t)
	old := f.create("kube-system", "again", f.in(step))
	f.kept("again")
	f.Must(f.Admin.CoreV1().Secrets("kube-system").Delete(t.Context(), "again", metav1.DeleteOptions{}))
	young := f.create("kube-system", "again", f.in(3*step))
	if old.UID == young.UID {
		t.Fatal("the same UID")
	}
	f.clock.Step(step)
	f.kept("again")
	f.clock.Step(2 * step)
	f.deleted("again")
}

func TestTheTimeGoesOnWhileStopped(t *testing.T) {
	f := start(t)
	f.create("kube-system", "stopped", f.in(step))
	f.create("kube-system", "later", f.in(2*step))
	f.kept("stopped", "later")
	f.run.Stop()
	f.clock.Step(step)
	f.run = f.Start(tokencleaner.Descriptor(), nil)
	f.deleted("stopped")
	f.kept("later")
	f.clock.Step(step)
	f.deleted("later")
}
