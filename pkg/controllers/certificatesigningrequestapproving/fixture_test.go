// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestapproving_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	certutil "k8s.io/client-go/util/cert"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	approving "github.com/kube-live/kube-controller-manager/pkg/controllers/certificatesigningrequestapproving"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const (
	clientKubelet = "kubernetes.io/kube-apiserver-client-kubelet"
	selfMessage   = "Auto approving self kubelet client certificate after SubjectAccessReview."
	otherMessage  = "Auto approving kubelet client certificate after SubjectAccessReview."
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running approver. What it asks is noted down.
type fixture struct {
	*harness.Harness

	t *testing.T

	mu      sync.Mutex
	sent    []string // as in "POST subjectaccessreviews"
	reviews []string // as in "user subresource"
}

func start(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	f.start()
	return f
}

func (f *fixture) start() *harness.Run {
	f.t.Helper()
	d := controller.Define(approving.Descriptor(), func(env controller.Env, section *v1beta1.CertificateSigningRequestApprovingController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.ContentType = runtime.ContentTypeJSON // so that the test can read it
		cfg.Wrap(f.listen)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		return approving.New(env, section)
	})
	return f.Start(d, nil)
}

func (f *fixture) listen(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		f.mu.Lock()
		f.sent = append(f.sent, r.Method+" "+path.Base(r.URL.Path))
		f.mu.Unlock()
		if path.Base(r.URL.Path) == "subjectaccessreviews" {
			f.note(r)
		}
		return next.RoundTrip(r)
	})
}

func (f *fixture) note(r *http.Request) {
	body, err := r.GetBody()
	if err != nil {
		f.t.Error(err)
		return
	}
	data, _ := io.ReadAll(body)
	review := &authorizationv1.SubjectAccessReview{}
	if _, _, err := scheme.Codecs.UniversalDeserializer().Decode(data, nil, review); err != nil {
		f.t.Error(err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reviews = append(f.reviews, review.Spec.User+" "+review.Spec.ResourceAttributes.Subresource)
}

// asked are the subresources about which the reviews of a user were, in order.
func (f *fixture) asked(user string) (subresources []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.reviews {
		if rest, ok := strings.CutPrefix(r, user+" "); ok {
			subresources = append(subresources, rest)
		}
	}
	return subresources
}

func (f *fixture) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

// node is a new user with the rights of a kubelet to ask, and these further rights.
func (f *fixture) node(rights ...string) string {
	f.t.Helper()
	user := "system:node:" + utilrand.String(8)
	f.grant(user, rights...)
	return user
}

// grant gives a user one of the roles that upstream has for this, and waits until
// the API server goes by it.
func (f *fixture) grant(user string, rights ...string) {
	f.t.Helper()
	for _, right := range rights {
		_, err := f.Admin.RbacV1().ClusterRoleBindings().Create(f.t.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "approving-"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:certificates.k8s.io:certificatesigningrequests:" + right},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
		}, metav1.CreateOptions{})
		f.Must(err)
		f.Eventually(func() error { return f.may(user, right) })
	}
}

// may is nil when a user has a right.
func (f *fixture) may(user, right string) error {
	review, err := f.Admin.AuthorizationV1().SubjectAccessReviews().Create(f.t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: "certificates.k8s.io", Resource: "certificatesigningrequests", Subresource: right, Verb: "create",
		}},
	}, metav1.CreateOptions{})
	if err == nil && !review.Status.Allowed {
		return fmt.Errorf("%s has no right to %s", user, right)
	}
	return err
}

// ask is one request for a certificate.
type ask struct {
	user, name string // who asks, and for which common name
	signer     string // default: the one of kubelets' clients
	usages     []certificatesv1.KeyUsage
	change     func(*x509.CertificateRequest)
}

// create sends a request as its user.
func (f *fixture) create(a ask) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	if a.signer == "" {
		a.signer = clientKubelet
	}
	if a.usages == nil {
		a.usages = []certificatesv1.KeyUsage{"digital signature", "client auth"}
	}
	request := &x509.CertificateRequest{Subject: pkix.Name{CommonName: a.name, Organization: []string{"system:nodes"}}}
	if a.change != nil {
		a.change(request)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Must(err)
	pem, err := certutil.MakeCSRFromTemplate(key, request)
	f.Must(err)
	cfg := rest.CopyConfig(f.AdminConfig)
	cfg.Impersonate = rest.ImpersonationConfig{UserName: a.user, Groups: []string{"system:nodes", "system:authenticated"}}
	csr, err := kubernetes.NewForConfigOrDie(cfg).CertificatesV1().CertificateSigningRequests().Create(f.t.Context(), &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "approving-"},
		Spec:       certificatesv1.CertificateSigningRequestSpec{Request: pem, SignerName: a.signer, Usages: a.usages},
	}, metav1.CreateOptions{})
	f.Must(err)
	return csr
}

func (f *fixture) get(csr *certificatesv1.CertificateSigningRequest) *certificatesv1.CertificateSigningRequest {
	f.t.Helper()
	csr, err := f.Admin.CertificatesV1().CertificateSigningRequests().Get(f.t.Context(), csr.Name, metav1.GetOptions{})
	f.Must(err)
	return csr
}

// approved waits for the approval of a request and returns its condition.
func (f *fixture) approved(csr *certificatesv1.CertificateSigningRequest) certificatesv1.CertificateSigningRequestCondition {
	f.t.Helper()
	f.Eventually(func() error {
		if n := len(f.get(csr).Status.Conditions); n != 1 {
			return fmt.Errorf("%d conditions", n)
		}
		return nil
	})
	return f.get(csr).Status.Conditions[0]
}

// settle returns when all requests before have been looked at: a later one was
// approved and nothing waits.
func (f *fixture) settle() {
	f.t.Helper()
	user := f.node("selfnodeclient")
	f.approved(f.create(ask{user: user, name: user}))
	f.Eventually(func() error {
		if n, _ := f.Metric("workqueue_depth", map[string]string{"name": "certificate"}); n != 0 {
			return fmt.Errorf("%v keys wait", n)
		}
		return nil
	})
}

// decide adds a condition as somebody else would.
func (f *fixture) decide(csr *certificatesv1.CertificateSigningRequest, t certificatesv1.RequestConditionType) {
	f.t.Helper()
	csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: t, Status: corev1.ConditionTrue, Reason: "Test"})
	_, err := f.Admin.CertificatesV1().CertificateSigningRequests().UpdateApproval(f.t.Context(), csr.Name, csr, metav1.UpdateOptions{})
	f.Must(err)
}
