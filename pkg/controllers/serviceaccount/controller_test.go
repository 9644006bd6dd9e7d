// SPDX-License-Identifier: Apache-2.0

package serviceaccount_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/serviceaccount"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

func TestDefaultAccount(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	h.Start(serviceaccount.Descriptor(), nil)
	ctx := context.Background()
	ns, err := h.Admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "sa-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	accounts := h.Admin.CoreV1().ServiceAccounts(ns.Name)
	var first *corev1.ServiceAccount
	testkit.Eventually(t, harness.Timeout, func() (err error) {
		first, err = accounts.Get(ctx, "default", metav1.GetOptions{})
		return err
	})

	t.Run("deleted, it is created anew", func(t *testing.T) {
		if err := accounts.Delete(ctx, "default", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			sa, err := accounts.Get(ctx, "default", metav1.GetOptions{})
			if err == nil && sa.UID == first.UID {
				return fmt.Errorf("still the old one")
			}
			return err
		})
	})

	t.Run("another account's deletion creates nothing", func(t *testing.T) {
		other := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "other"}}
		if _, err := accounts.Create(ctx, other, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := accounts.Delete(ctx, "other", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		// The queue has settled when a later namespace was served.
		later := h.Namespace()
		testkit.Eventually(t, harness.Timeout, func() error {
			_, err := h.Admin.CoreV1().ServiceAccounts(later).Get(ctx, "default", metav1.GetOptions{})
			return err
		})
		if _, err := accounts.Get(ctx, "other", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v, want not found", err)
		}
	})

	t.Run("a terminating namespace stays without, and is no error", func(t *testing.T) {
		retries, _ := h.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount"})
		if err := h.Admin.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			got, err := h.Admin.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
			if err == nil && got.Status.Phase != corev1.NamespaceTerminating {
				return fmt.Errorf("phase %s", got.Status.Phase)
			}
			return err
		})
		if err := accounts.Delete(ctx, "default", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		later := h.Namespace()
		if err := h.Admin.CoreV1().ServiceAccounts(later).Delete(ctx, "default", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			_, err := h.Admin.CoreV1().ServiceAccounts(later).Get(ctx, "default", metav1.GetOptions{})
			return err
		})
		if _, err := accounts.Get(ctx, "default", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v, want not found", err)
		}
		if now, _ := h.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount"}); now != retries {
			t.Errorf("%v retries, want none", now-retries)
		}
	})
}

// refusals answer requests that make an account in one namespace with an error.
type refusals struct {
	mu    sync.Mutex
	of    string // the namespace, or empty
	count int
}

func (f *refusals) wrap(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPost || !f.refuse(r.URL.Path) {
			return next.RoundTrip(r)
		}
		return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
}

func (f *refusals) refuse(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == "" || !strings.Contains(path, "/namespaces/"+f.of+"/") {
		return false
	}
	f.count++
	return true
}

// end refuses nothing any more, and says how often it was done.
func (f *refusals) end() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of = ""
	return f.count
}

// The clock stands still here, so that a key which failed comes back only with an
// event or with the test's step.
func TestMissingAccountIsCreated(t *testing.T) {
	for name, bring := range map[string]func(*testing.T, *harness.Harness, *clocktesting.FakeClock, string){
		"when its namespace is updated": func(t *testing.T, h *harness.Harness, _ *clocktesting.FakeClock, ns string) {
			label := []byte(`{"metadata":{"labels":{"changed":"yes"}}}`)
			if _, err := h.Admin.CoreV1().Namespaces().Patch(t.Context(), ns, types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		},
		"by a retry": func(_ *testing.T, _ *harness.Harness, clock *clocktesting.FakeClock, _ string) {
			clock.Step(10 * time.Second) // the delaying queue looks at all its keys then
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness.New(t, shared.Plane(t))
			clock := clocktesting.NewFakeClock(time.Now())
			h.Kit.Clock = clock
			ns := "sa-" + strings.ReplaceAll(name, " ", "-")
			refused := &refusals{of: ns}
			h.Start(controller.Define(serviceaccount.Descriptor(), func(env controller.Env, section *v1beta1.ServiceAccountController) (controller.Controller, error) {
				cfg := env.API.Config()
				cfg.Wrap(refused.wrap)
				env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
				return serviceaccount.New(env, section)
			}), nil)
			if _, err := h.Admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, harness.Timeout, func() error {
				if n, _ := h.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount"}); n != 1 {
					return fmt.Errorf("%v retries, want 1", n)
				}
				return nil
			})
			if n := refused.end(); n != 1 {
				t.Errorf("asked %d times for the account, want 1", n)
			}
			bring(t, h, clock, ns)
			testkit.Eventually(t, harness.Timeout, func() error {
				_, err := h.Admin.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{})
				return err
			})
		})
	}
}

func TestStoppedMeansStopped(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	ctx := context.Background()
	run := h.Start(serviceaccount.Descriptor(), nil)
	run.Stop()
	if _, found := h.Metric("workqueue_depth", map[string]string{"name": "serviceaccount"}); found {
		t.Error("a stopped controller still has metrics")
	}
	ns := h.Namespace()
	if err := h.Admin.CoreV1().ServiceAccounts(ns).Delete(ctx, "default", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.Start(serviceaccount.Descriptor(), nil)
	testkit.Eventually(t, harness.Timeout, func() error {
		_, err := h.Admin.CoreV1().ServiceAccounts(ns).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
