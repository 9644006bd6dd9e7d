// SPDX-License-Identifier: Apache-2.0

package serviceaccount_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
