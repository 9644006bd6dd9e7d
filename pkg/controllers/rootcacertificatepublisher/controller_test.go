// SPDX-License-Identifier: Apache-2.0

package rootcacertificatepublisher_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	certutil "k8s.io/client-go/util/cert"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/rootcacertificatepublisher"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const (
	name        = "kube-root-ca.crt"
	annotation  = "kubernetes.io/description"
	description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running publisher and a namespace it has served.
type fixture struct {
	*harness.Harness

	t         *testing.T
	run       *harness.Run
	ca        string
	namespace string
}

func start(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	f := &fixture{Harness: h, t: t, ca: string(h.Kit.Clients.CAData())}
	f.run = h.Start(rootcacertificatepublisher.Descriptor(), nil)
	f.namespace = h.Namespace()
	f.published(f.namespace)
	return f
}

func (f *fixture) get(namespace string) (*corev1.ConfigMap, error) {
	return f.Admin.CoreV1().ConfigMaps(namespace).Get(f.t.Context(), name, metav1.GetOptions{})
}

// published waits for the ConfigMap in its right form.
func (f *fixture) published(namespace string) *corev1.ConfigMap {
	f.t.Helper()
	var cm *corev1.ConfigMap
	testkit.Eventually(f.t, harness.Timeout, func() (err error) {
		if cm, err = f.get(namespace); err != nil {
			return err
		}
		if diff := cmp.Diff(map[string]string{"ca.crt": f.ca}, cm.Data); diff != "" {
			return fmt.Errorf("data (-want +got):\n%s", diff)
		}
		if cm.Annotations[annotation] == "" {
			return fmt.Errorf("annotations %v", cm.Annotations)
		}
		return nil
	})
	return cm
}

func (f *fixture) patch(patch string) *corev1.ConfigMap {
	f.t.Helper()
	cm, err := f.Admin.CoreV1().ConfigMaps(f.namespace).Patch(f.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	return cm
}

// settle returns when all events before it have been handled: both watches have
// brought something later, which was served, and nothing waits.
func (f *fixture) settle() {
	f.t.Helper()
	later := f.Namespace()
	old := f.published(later)
	if err := f.Admin.CoreV1().ConfigMaps(later).Delete(f.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		f.t.Fatal(err)
	}
	testkit.Eventually(f.t, harness.Timeout, func() error {
		cm, err := f.get(later)
		if err == nil && cm.UID == old.UID {
			return fmt.Errorf("still the old one")
		}
		if n, _ := f.Metric("workqueue_depth", map[string]string{"name": "root_ca_cert_publisher"}); n != 0 {
			return fmt.Errorf("%v keys wait", n)
		}
		return err
	})
}

func TestRepair(t *testing.T) {
	f := start(t)
	if f.ca == "" {
		t.Fatal("the test kubeconfig has no CA data")
	}
	first := f.published(f.namespace)
	if got := first.Annotations[annotation]; got != description {
		t.Errorf("description %q", got)
	}

	t.Run("deleted", func(t *testing.T) {
		if err := f.Admin.CoreV1().ConfigMaps(f.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, harness.Timeout, func() error {
			cm, err := f.get(f.namespace)
			if err == nil && cm.UID == first.UID {
				return fmt.Errorf("still the old one")
			}
			return err
		})
		f.published(f.namespace)
	})
	for name, patch := range map[string]string{
		"data changed":        `{"data":{"ca.crt":"other"}}`,
		"data emptied":        `{"data":null}`,
		"key added":           `{"data":{"more":"x"},"metadata":{"labels":{"kept":"yes"}}}`,
		"description removed": `{"metadata":{"annotations":{"kubernetes.io/description":null}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			f.patch(patch)
			cm := f.published(f.namespace)
			if got := cm.Annotations[annotation]; got != description {
				t.Errorf("description %q", got)
			}
		})
	}
	if cm := f.published(f.namespace); cm.Labels["kept"] != "yes" {
		t.Errorf("labels %v, want them kept", cm.Labels)
	}

	t.Run("own write leads to no other", func(t *testing.T) {
		version := f.published(f.namespace).ResourceVersion
		f.settle()
		if cm := f.published(f.namespace); cm.ResourceVersion != version {
			t.Errorf("version %s became %s", version, cm.ResourceVersion)
		}
	})
	t.Run("another description is left alone", func(t *testing.T) {
		version := f.patch(`{"metadata":{"annotations":{"kubernetes.io/description":"mine"}}}`).ResourceVersion
		f.settle()
		if cm := f.published(f.namespace); cm.ResourceVersion != version {
			t.Errorf("version %s became %s", version, cm.ResourceVersion)
		}
	})
	if n, found := f.Metric("root_ca_cert_publisher_sync_total", map[string]string{"code": "200"}); !found || n < 5 {
		t.Errorf("%v successful syncs", n)
	}
	if n, found := f.Metric("root_ca_cert_publisher_sync_duration_seconds", map[string]string{"code": "200"}); !found || n < 5 {
		t.Errorf("%v measured syncs", n)
	}
}

func TestTerminatingNamespace(t *testing.T) {
	f := start(t)
	// The content holds the namespace in its phase: nobody empties it here.
	if err := f.Admin.CoreV1().Namespaces().Delete(t.Context(), f.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := f.Admin.CoreV1().ConfigMaps(f.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if _, err := f.get(f.namespace); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "root_ca_cert_publisher"}); n != 0 {
		t.Errorf("%v retries", n)
	}
	for _, code := range []string{"403", "404", "500"} {
		if _, found := f.Metric("root_ca_cert_publisher_sync_total", map[string]string{"code": code}); found {
			t.Errorf("a sync was counted as %s", code)
		}
	}
}

// certificate is a new one, in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	pem, _, err := certutil.GenerateSelfSignedCertKey("another", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileReplacesClusterCA(t *testing.T) {
	f := start(t)
	path := filepath.Join(t.TempDir(), "ca.crt")
	f.ca = "\n" + certificate(t)
	write(t, path, f.ca)
	f.run.Stop()
	f.Start(rootcacertificatepublisher.Descriptor(), func(c *v1beta1.Controllers) {
		c.RootCACertificatePublisher.RootCAFile = path
	})
	f.published(f.namespace)
	f.published("kube-system")
}

func TestChangedFileIsPublishedEverywhere(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	path := filepath.Join(t.TempDir(), "ca.crt")
	f := &fixture{Harness: h, t: t, ca: certificate(t)}
	write(t, path, f.ca)
	f.run = h.Start(rootcacertificatepublisher.Descriptor(), func(c *v1beta1.Controllers) {
		c.RootCACertificatePublisher.RootCAFile = path
	})
	namespaces := []string{h.Namespace(), h.Namespace(), "kube-system", "default"}
	everywhere := func() {
		t.Helper()
		for _, ns := range namespaces {
			f.published(ns)
		}
	}
	everywhere()
	f.run.Healthy(true)

	f.ca = certificate(t)
	write(t, path, f.ca)
	everywhere()
	f.run.Healthy(true)

	// The last good bundle stays, and is what new namespaces get.
	write(t, path, "no certificate")
	f.run.Healthy(false)
	namespaces = append(namespaces, h.Namespace())
	everywhere()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.run.Healthy(false)

	f.ca = certificate(t)
	write(t, path, f.ca)
	everywhere()
	f.run.Healthy(true)
}

func TestCAGivenAsFileIsNotPublished(t *testing.T) {
	plane := shared.Plane(t)
	h := harness.New(t, plane)
	cfg := plane.ManagerConfig()
	cfg.CAData, cfg.CAFile = nil, plane.CAFile
	var err error
	if h.Kit.Clients, err = client.NewFactoryForConfig(cfg, true); err != nil {
		t.Fatal(err)
	}
	h.Start(rootcacertificatepublisher.Descriptor(), nil)
	f := &fixture{Harness: h, t: t}
	f.published(h.Namespace())
}

func TestUnusableFileIsRefused(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	c := v1beta1.Controllers{}
	path := filepath.Join(t.TempDir(), "ca.crt")
	c.RootCACertificatePublisher.RootCAFile = path
	refused := func() {
		t.Helper()
		_, err := controller.Build(rootcacertificatepublisher.Descriptor(), h.Kit, &c, client.NewLedger())
		if want := "error parsing root-ca-file at " + path + ": "; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s...", err, want)
		}
	}
	refused() // it does not exist
	write(t, path, "no certificate")
	refused()
}

func TestStoppedMeansStopped(t *testing.T) {
	h := harness.New(t, shared.Plane(t))
	ctx := context.Background()
	run := h.Start(rootcacertificatepublisher.Descriptor(), nil)
	ns := h.Namespace()
	configMaps := h.Admin.CoreV1().ConfigMaps(ns)
	there := func() error {
		_, err := configMaps.Get(ctx, name, metav1.GetOptions{})
		return err
	}
	testkit.Eventually(t, harness.Timeout, there)
	run.Stop()
	if _, found := h.Metric("root_ca_cert_publisher_sync_total", nil); found {
		t.Error("a stopped controller still has metrics")
	}
	if err := configMaps.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.Start(rootcacertificatepublisher.Descriptor(), nil)
	testkit.Eventually(t, harness.Timeout, there)
}
