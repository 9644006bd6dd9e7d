// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	certificatesclient "k8s.io/client-go/kubernetes/typed/certificates/v1"
	certutil "k8s.io/client-go/util/cert"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// shared serves the older version too.
var shared = testkit.Shared{Options: testkit.Options{
	RuntimeConfig: map[string]string{"certificates.k8s.io/v1beta1/clustertrustbundles": "true"},
}}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

type fixture struct {
	*harness.Harness

	t       *testing.T
	ca      string // what is to be published
	bundles certificatesclient.ClusterTrustBundleInterface
}

func setUp(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	return &fixture{h, t, string(h.Kit.Clients.CAData()), h.Admin.CertificatesV1().ClusterTrustBundles()}
}

// from configures a file.
func from(path string) func(*v1beta1.Controllers) {
	return func(c *v1beta1.Controllers) { c.KubeAPIServerServingClusterTrustBundlePublisher.RootCAFile = path }
}

func (f *fixture) list() map[string]string {
	f.t.Helper()
	list, err := f.bundles.List(f.t.Context(), metav1.ListOptions{FieldSelector: "spec.signerName=" + signer})
	f.Must(err)
	texts := map[string]string{}
	for _, b := range list.Items {
		texts[b.Name] = b.Spec.TrustBundle
	}
	return texts
}

// published waits until the CA is the only bundle of the signer, and returns it.
func (f *fixture) published() *certificatesv1.ClusterTrustBundle {
	f.t.Helper()
	name := nameOf(signer, []byte(f.ca))
	f.Eventually(func() error {
		if diff := cmp.Diff(map[string]string{name: f.ca}, f.list()); diff != "" {
			return fmt.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	})
	b, err := f.bundles.Get(f.t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	return b
}

func (f *fixture) create(name, of, text string) {
	f.t.Helper()
	_, err := f.bundles.Create(f.t.Context(), &certificatesv1.ClusterTrustBundle{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: certificatesv1.ClusterTrustBundleSpec{SignerName: of, TrustBundle: text},
	}, metav1.CreateOptions{})
	f.Must(err)
}

func (f *fixture) delete(name string) {
	f.t.Helper()
	if err := f.bundles.Delete(f.t.Context(), name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		f.Must(err)
	}
}

// clear takes away what other tests have left.
func (f *fixture) clear() {
	f.t.Helper()
	for name := range f.list() {
		f.delete(name)
	}
}

func (f *fixture) syncs(code string) float64 {
	f.t.Helper()
	n, _ := f.Metric("clustertrustbundle_publisher_sync_total", map[string]string{"code": code})
	return n
}

func (f *fixture) write(path, content string) {
	f.t.Helper()
	f.Must(os.WriteFile(path, []byte(content), 0o600))
}

// file holds a new CA, which is to be published.
func (f *fixture) file() string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), "ca.crt")
	f.ca = newCA(f.t)
	f.write(path, f.ca)
	return path
}

func newCA(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certutil.NewSelfSignedCACert(certutil.Config{CommonName: "ca"}, key)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := certutil.EncodeCertificates(cert)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem)
}

// answers are what discovery says instead of the truth.
type answers struct {
	discovery.DiscoveryInterface
	asked atomic.Int32
	// instead is the error that hides a version, or nil.
	instead func(groupVersion string) error
}

func (a *answers) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	a.asked.Add(1)
	if err := a.instead(groupVersion); err != nil {
		return nil, err
	}
	return a.DiscoveryInterface.ServerResourcesForGroupVersion(groupVersion)
}

func notFound() error { return apierrors.NewNotFound(schema.GroupResource{}, "") }

// believing is the controller, which is told something else about the API.
func believing(a *answers) controller.Descriptor {
	return controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.KubeAPIServerServingClusterTrustBundlePublisherController) (controller.Controller, error) {
		a.DiscoveryInterface = env.API.Discovery
		env.API.Discovery = a
		return New(env, section)
	})
}

// attaches are the versions that a standby would watch.
func attaches(ctx context.Context, c controller.Controller) (versions []string, err error) {
	kinds, err := c.(controller.Attacher).Attaches(ctx)
	for _, k := range kinds {
		versions = append(versions, k.Resource().Version)
	}
	return versions, err
}
