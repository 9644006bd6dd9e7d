// SPDX-License-Identifier: Apache-2.0

package podcertificaterequestcleaner_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	cleaner "github.com/kube-live/kube-controller-manager/pkg/controllers/podcertificaterequestcleaner"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const interval = 5 * time.Minute

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a namespace with requests, and a controller whose deletions are noted
// down.
type fixture struct {
	*harness.Scene

	passes *harness.Passes

	mu      sync.Mutex
	deletes []string // the answers, as in "a 404"
	before  func(name string)
}

func setUp(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	return &fixture{Scene: h.Scene(t), passes: h.Passes(interval), before: func(string) {}}
}

func (f *fixture) listen(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.Path, "/"+f.NS+"/") {
			return next.RoundTrip(r)
		}
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		f.before(name)
		answer, err := next.RoundTrip(r)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.deletes = append(f.deletes, fmt.Sprint(name, " ", answer.StatusCode))
		}
		return answer, err
	})
}

func (f *fixture) start() *harness.Run {
	f.T.Helper()
	return f.Start(controller.Define(cleaner.Descriptor(), func(env controller.Env, section *v1beta1.PodCertificateRequestCleanerController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(f.listen)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		return cleaner.New(env, section)
	}), nil)
}

func (f *fixture) create(name string, condition string) {
	f.T.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Must(err)
	stub, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	f.Must(err)
	requests := f.Admin.CertificatesV1().PodCertificateRequests(f.NS)
	r, err := requests.Create(f.T.Context(), &certificatesv1.PodCertificateRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: certificatesv1.PodCertificateRequestSpec{
			SignerName: "example.com/a", StubPKCS10Request: stub,
			PodName: "pod", PodUID: "1", ServiceAccountName: "default", ServiceAccountUID: "2", NodeName: "node", NodeUID: "3",
		},
	}, metav1.CreateOptions{})
	f.Must(err)
	if condition == "" {
		return
	}
	r.Status.Conditions = []metav1.Condition{{Type: condition, Status: metav1.ConditionTrue, Reason: "Test", Message: "test", LastTransitionTime: metav1.Now()}}
	_, err = requests.UpdateStatus(f.T.Context(), r, metav1.UpdateOptions{})
	f.Must(err)
}

// left checks which requests are there.
func (f *fixture) left(want ...string) {
	f.T.Helper()
	list, err := f.Admin.CertificatesV1().PodCertificateRequests(f.NS).List(f.T.Context(), metav1.ListOptions{})
	f.Must(err)
	var got []string
	for _, r := range list.Items {
		got = append(got, r.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		f.T.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPasses(t *testing.T) {
	f := setUp(t)
	f.create("pending", "")
	f.create("denied", certificatesv1.PodCertificateRequestConditionTypeDenied)
	f.create("failed", certificatesv1.PodCertificateRequestConditionTypeFailed)
	f.start()
	f.passes.Await()
	f.passes.Pass(interval)
	f.left("denied", "failed", "pending")
	f.passes.Pass(9 * time.Minute) // 14 minutes
	f.left("denied", "failed", "pending")
	if len(f.deletes) > 0 {
		t.Errorf("deletions %v, want none", f.deletes)
	}
	f.passes.Pass(interval)
	f.left()
	f.passes.Pass(interval)
	for _, d := range f.deletes {
		if !strings.HasSuffix(d, " 200") && !strings.HasSuffix(d, " 404") { // the cache may be a moment behind
			t.Errorf("deletion %s", d)
		}
	}
}

// TestOnlyTheOldOne has a request replaced by another of its name between the
// controller's decision and its deletion.
func TestOnlyTheOldOne(t *testing.T) {
	f := setUp(t)
	f.create("a", "")
	reached, resume := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.before = func(string) {
		once.Do(func() {
			close(reached)
			select {
			case <-resume:
			case <-t.Context().Done():
			}
		})
	}
	f.passes.Step(16 * time.Minute)
	run := f.start()
	select {
	case <-reached:
	case <-time.After(harness.Timeout):
		t.Fatal("nothing is deleted")
	}
	f.Must(f.Admin.CertificatesV1().PodCertificateRequests(f.NS).Delete(t.Context(), "a", metav1.DeleteOptions{}))
	f.create("a", "")
	close(resume)
	f.passes.Await()
	run.Stop()
	if diff := cmp.Diff([]string{"a 409"}, f.deletes); diff != "" {
		t.Errorf("deletions (-want +got):\n%s", diff)
	}
	f.left("a")
}

func TestRequiresItsGate(t *testing.T) {
	gates, err := feature.Resolve(map[string]bool{"PodCertificateRequest": false})
	if err != nil {
		t.Fatal(err)
	}
	c := &v1beta1.Controllers{Baseline: v1beta1.BaselineDefault}
	if on, why := cleaner.Descriptor().Enabled(c, gates); on {
		t.Error("enabled without its gate")
	} else if !strings.Contains(why, "PodCertificateRequest") {
		t.Errorf("off because %s", why)
	}
	if on, why := cleaner.Descriptor().Enabled(c, feature.Defaults()); !on {
		t.Errorf("off by default: %s", why)
	}
}
