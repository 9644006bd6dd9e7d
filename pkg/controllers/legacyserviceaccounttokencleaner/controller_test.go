// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestLife(t *testing.T) {
	f := start(t)
	f.track("real")
	f.legacy("robot", "unused")
	uid := f.get("unused").UID
	f.pass()
	want := []string{`PATCH secrets/unused {"kind":"Secret","apiVersion":"v1","metadata":{"name":"unused","namespace":"` + f.namespace +
		`","uid":"` + string(uid) + `","labels":{"kubernetes.io/legacy-token-invalid-since":"` + f.today() + `"}}}`}
	if diff := cmp.Diff(want, f.sent()); diff != "" {
		t.Errorf("sent (-want +got)\n%s", diff)
	}
	if got := f.get("unused").Labels[invalidSinceLabel]; got != f.today() {
		t.Errorf("marked on %q, want %s", got, f.today())
	}
	f.silent("marked today")
	f.clock.Step(day)
	f.silent("marked a period ago, to the day")

	// Without its mark the token is in use again, and all begins anew.
	f.patch("unused", `{"metadata":{"labels":{"kubernetes.io/legacy-token-invalid-since":null}}}`)
	f.clock.Step(day)
	f.pass()
	if got := f.get("unused").Labels[invalidSinceLabel]; got != f.today() {
		t.Errorf("marked on %q, want %s", got, f.today())
	}
	f.clock.Step(2 * day)
	f.pass()
	if _, err := f.secrets.Get(t.Context(), "unused", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
	f.silent("deleted")
}

func TestTracking(t *testing.T) {
	f := start(t)
	f.legacy("robot", "unused")
	f.track("")
	f.silent("no ConfigMap")
	f.track(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"` + trackingName + `"}}`)
	f.silent("no key")
	f.track(since("lately"))
	f.silent("no date")
	at := f.clock.Now().UTC()
	f.track(since(at.Add(-day).Format(time.DateOnly)))
	f.silent("tracked for less than the period and a day")
	f.track(since(at.Add(-2 * day).Format(time.DateOnly)))
	f.pass()
	if got := f.get("unused").Labels[invalidSinceLabel]; got != f.today() {
		t.Errorf("marked on %q, want %s", got, f.today())
	}
}

func TestWhatIsLeftAlone(t *testing.T) {
	f := start(t)
	f.track("real")
	f.legacy("robot", "recent", "garbled", "mounted", "deleting", "marked")
	f.label("recent", lastUsedLabel, f.today())
	f.label("garbled", lastUsedLabel, "lately")
	f.label("marked", invalidSinceLabel, f.today())
	f.patch("deleting", `{"metadata":{"finalizers":["example.com/hold"]}}`)
	f.Must(f.secrets.Delete(t.Context(), "deleting", metav1.DeleteOptions{}))
	f.create("manual", "robot")
	f.create("orphan", "nobody")
	f.legacy("another", "former")
	f.patch("former", `{"metadata":{"annotations":{"kubernetes.io/service-account.uid":"former"}}}`)
	pods := f.Admin.CoreV1().Pods(f.namespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "c", Image: "i", Env: []corev1.EnvVar{{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "mounted"}, Key: "token"},
		}}},
	}}}}, metav1.CreateOptions{})
	f.Must(err)
	f.silent("none is unused")

	// Neither the pod nor the use holds them for ever.
	f.Must(pods.Delete(t.Context(), "pod", metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
	f.clock.Step(2 * day)
	f.pass()
	for _, name := range []string{"mounted", "recent"} {
		if got := f.get(name).Labels[invalidSinceLabel]; got != f.today() {
			t.Errorf("%s: marked on %q, want %s", name, got, f.today())
		}
	}
	for _, name := range []string{"manual", "orphan", "former", "garbled", "deleting"} {
		if got, found := f.get(name).Labels[invalidSinceLabel]; found {
			t.Errorf("%s: marked on %s", name, got)
		}
	}
	f.patch("deleting", `{"metadata":{"finalizers":null}}`)
}

func TestYoungSecrets(t *testing.T) {
	f := start(t)
	f.track(since("2020-01-01"))
	f.clock.SetTime(time.Now().Add(day / 2))
	f.legacy("robot", "young")
	f.silent("made within the period")
}

// What is changed between the decision and the deletion is another Secret.
func TestTheCacheIsNotTrusted(t *testing.T) {
	f := start(t)
	f.track("real")
	f.legacy("robot", "saved", "remade", "old")
	for _, name := range []string{"saved", "remade", "old"} {
		f.label(name, invalidSinceLabel, "2020-01-01")
	}
	f.once["DELETE secrets/saved"] = func() {
		f.patch("saved", `{"metadata":{"labels":{"kubernetes.io/legacy-token-invalid-since":null}}}`)
	}
	f.once["DELETE secrets/remade"] = func() {
		f.Must(f.secrets.Delete(t.Context(), "remade", metav1.DeleteOptions{}))
		f.create("remade", "robot")
	}
	f.pass()
	for _, name := range []string{"saved", "remade"} {
		if got, found := f.get(name).Labels[invalidSinceLabel]; found {
			t.Errorf("%s: marked on %s", name, got)
		}
	}
	if _, err := f.secrets.Get(t.Context(), "old", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
}

func TestPassesAreDaily(t *testing.T) {
	f := start(t)
	begun := f.running.Now()
	for want := 2; want <= 3; want++ {
		testkit.Eventually(t, harness.Timeout, func() error {
			if n := f.passed(); n < want {
				f.running.Step(time.Hour) // the pause begins when a pass is over
				return fmt.Errorf("%d passes, want %d", n, want)
			}
			return nil
		})
	}
	if elapsed := f.running.Since(begun); elapsed < 2*interval {
		t.Errorf("3 passes in %s", elapsed)
	}
}

func TestPeriodMustBePositive(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	_, err := controller.Build(Descriptor(), h.Kit, &v1beta1.Controllers{}, client.NewLedger())
	if err == nil || !strings.Contains(err.Error(), "invalid CleanUpPeriod: ") {
		t.Errorf("got %v", err)
	}
}
