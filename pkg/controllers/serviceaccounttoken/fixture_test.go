// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a running controller, with the test listening to what it sends about
// one namespace.
type fixture struct {
	*harness.Harness

	t         *testing.T
	keyFile   string
	workers   int32  // a single one takes keys in the order in which they are queued
	caFile    string // empty: the kubeconfig's bundle
	namespace string
	accounts  coreclient.ServiceAccountInterface
	secrets   coreclient.SecretInterface
	run       *harness.Run
	tokens    *tokens // the controller that runs

	mu     sync.Mutex
	sent   []string          // as in "PUT secrets/token"
	agents map[string]bool   // user agents
	once   map[string]func() // called before the first request of that text is sent
	every  map[string]func() // called before each
	refuse map[string]bool   // requests that are answered with an error
}

func prepare(t *testing.T) *fixture {
	plane := shared.Plane(t)
	f := &fixture{Harness: harness.New(t, plane), t: t, keyFile: plane.ServiceAccountKeyFile, workers: 1, agents: map[string]bool{},
		once: map[string]func(){}, every: map[string]func(){}, refuse: map[string]bool{}}
	f.namespace = f.Namespace()
	f.accounts, f.secrets = f.Admin.CoreV1().ServiceAccounts(f.namespace), f.Admin.CoreV1().Secrets(f.namespace)
	return f
}

func start(t *testing.T) *fixture {
	f := prepare(t)
	f.start()
	return f
}

func (f *fixture) start() {
	f.t.Helper()
	d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.ServiceAccountTokenController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(f.listen)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		c, err := New(env, section)
		if err == nil {
			f.tokens = c.(*tokens)
		}
		return c, err
	})
	f.run = f.Start(d, func(c *v1beta1.Controllers) {
		c.ServiceAccountToken.Workers = f.workers
		c.ServiceAccountToken.PrivateKeyFile, c.ServiceAccountToken.RootCAFile = f.keyFile, f.caFile
	})
}

func (f *fixture) listen(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		_, what, found := strings.Cut(r.URL.Path, "/namespaces/"+f.namespace+"/")
		if !found {
			return next.RoundTrip(r)
		}
		text := r.Method + " " + what
		f.mu.Lock()
		f.sent = append(f.sent, text)
		f.agents[r.Header.Get("User-Agent")] = true
		interfere := []func(){f.once[text], f.every[text]}
		refuse := f.refuse[text]
		delete(f.once, text)
		f.mu.Unlock()
		for _, happen := range interfere {
			if happen != nil {
				happen()
			}
		}
		if refuse {
			return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return next.RoundTrip(r)
	})
}

// before has something happen between a decision of the controller and the request
// that follows from it.
func (f *fixture) before(request string, happen func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once[request] = happen
}

// requests are all that were sent of those texts, in their order.
func (f *fixture) requests(texts ...string) (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.sent {
		for _, text := range texts {
			if r == text {
				list = append(list, r)
			}
		}
	}
	return list
}

func (f *fixture) count(text string) int { return len(f.requests(text)) }

// account makes one that lists Secrets.
func (f *fixture) account(name string, secrets ...string) *corev1.ServiceAccount {
	f.t.Helper()
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, s := range secrets {
		sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: s})
	}
	sa, err := f.accounts.Create(f.t.Context(), sa, metav1.CreateOptions{})
	f.Must(err)
	return sa
}

// create makes a token Secret of an account.
func (f *fixture) create(name, account string, data map[string][]byte) *corev1.Secret {
	f.t.Helper()
	s, err := f.secrets.Create(f.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.ServiceAccountNameKey: account}},
		Type:       corev1.SecretTypeServiceAccountToken, Data: data,
	}, metav1.CreateOptions{})
	f.Must(err)
	return s
}

// filled waits until a Secret has all that belongs in it.
func (f *fixture) filled(name string) *corev1.Secret {
	f.t.Helper()
	var s *corev1.Secret
	f.Eventually(func() (err error) {
		if s, err = f.secrets.Get(f.t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		if l := lacks(s, f.tokens.bundle.PEM()); !l.none() {
			return fmt.Errorf("%s lacks %+v", name, l)
		}
		return nil
	})
	return s
}

func (f *fixture) deleted(name string) {
	f.t.Helper()
	f.Eventually(func() error {
		_, err := f.secrets.Get(f.t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%s is there: %v", name, err)
	})
}

func (f *fixture) kept(names ...string) {
	f.t.Helper()
	for _, name := range names {
		if _, err := f.secrets.Get(f.t.Context(), name, metav1.GetOptions{}); err != nil {
			f.t.Errorf("%s: %v", name, err)
		}
	}
}

func (f *fixture) patch(secret, patch string) {
	f.t.Helper()
	_, err := f.secrets.Patch(f.t.Context(), secret, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	f.Must(err)
}

// remove deletes a Secret, and returns when the controller has heard of it.
func (f *fixture) remove(secret string) {
	f.t.Helper()
	f.Must(f.secrets.Delete(f.t.Context(), secret, metav1.DeleteOptions{}))
	f.Eventually(func() error {
		if _, found := f.tokens.secrets.Get(f.namespace, secret); found {
			return fmt.Errorf("the cache has %s", secret)
		}
		return nil
	})
}

// settle returns when the controller has handled all that happened before: both
// watches have brought something later, and both queues have served it.
func (f *fixture) settle() {
	f.t.Helper()
	later, err := f.accounts.Create(f.t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{GenerateName: "later-"}}, metav1.CreateOptions{})
	f.Must(err)
	f.create(later.Name, later.Name, nil)
	f.filled(later.Name)
	f.Must(f.accounts.Delete(f.t.Context(), later.Name, metav1.DeleteOptions{}))
	f.deleted(later.Name)
}

// listed are the Secrets of an account.
func (f *fixture) listed(account string) (names []string) {
	f.t.Helper()
	sa, err := f.accounts.Get(f.t.Context(), account, metav1.GetOptions{})
	f.Must(err)
	for _, r := range sa.Secrets {
		names = append(names, r.Name)
	}
	return names
}

// file writes one in a folder of the test.
func (f *fixture) file(name string, content []byte) string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), name)
	f.rewrite(path, content)
	return path
}

func (f *fixture) rewrite(path string, content []byte) {
	f.t.Helper()
	f.Must(os.WriteFile(path, content, 0o600))
}
