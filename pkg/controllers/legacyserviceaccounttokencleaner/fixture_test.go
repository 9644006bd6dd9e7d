// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a controller with a period of a day that runs and has nothing to do,
// for its time stands still, and a twin of it, with the same caches, that passes when
// the test says so, at the test's time.
type fixture struct {
	*harness.Harness

	t         *testing.T
	running   *clocktesting.FakeClock
	clock     *clocktesting.FakeClock
	namespace string
	secrets   coreclient.SecretInterface
	accounts  coreclient.ServiceAccountInterface
	cleaner   cleaner // the twin

	mu sync.Mutex
	// tracking is the answer about the ConfigMap of the API server, in JSON; empty is
	// not found, and "real" is what the API server says.
	tracking string
	passes   int
	writes   []string          // about the namespace, with their bodies
	once     map[string]func() // called before the first write of that text is sent
}

// start makes a fixture some days from now, so that all that is there is old.
func start(t *testing.T) *fixture {
	h := harness.New(t, shared.Plane(t))
	at := time.Now().Add(10 * day)
	f := &fixture{Harness: h, t: t, running: clocktesting.NewFakeClock(at), clock: clocktesting.NewFakeClock(at), once: map[string]func(){}}
	h.Kit.Clock = f.running
	f.namespace = h.Namespace()
	f.secrets, f.accounts = h.Admin.CoreV1().Secrets(f.namespace), h.Admin.CoreV1().ServiceAccounts(f.namespace)
	d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.LegacyServiceAccountTokenCleanerController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.ContentType, cfg.AcceptContentTypes = "application/json", "application/json"
		cfg.Wrap(f.listen)
		env.API.Typed = kubernetes.NewForConfigOrDie(cfg)
		c, err := New(env, section)
		if err == nil {
			f.cleaner = *c.(*cleaner)
			f.cleaner.clock = f.clock
		}
		return c, err
	})
	h.Start(d, func(c *v1beta1.Controllers) { c.LegacyServiceAccountTokenCleaner.CleanUpPeriod.Duration = day })
	// The pass at the start found nothing to go by, and is over.
	testkit.Eventually(t, harness.Timeout, func() error {
		if f.passed() != 1 {
			return fmt.Errorf("%d passes", f.passed())
		}
		return nil
	})
	return f
}

func (f *fixture) listen(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/configmaps/"+trackingName) {
			if answer := f.answer(r); answer != nil {
				return answer, nil
			}
		}
		if _, what, found := strings.Cut(r.URL.Path, "/namespaces/"+f.namespace+"/"); found {
			text := r.Method + " " + what
			var body []byte
			if r.Body != nil {
				body, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
			}
			f.mu.Lock()
			f.writes = append(f.writes, text+" "+string(body))
			interfere := f.once[text]
			delete(f.once, text)
			f.mu.Unlock()
			if interfere != nil {
				interfere()
			}
		}
		return next.RoundTrip(r)
	})
}

func (f *fixture) answer(r *http.Request) *http.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passes++
	code, body := http.StatusOK, f.tracking
	switch f.tracking {
	case "real":
		return nil
	case "":
		code, body = http.StatusNotFound, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"there is none","reason":"NotFound","code":404}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

func (f *fixture) passed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passes
}

// sent are the writes since the last call.
func (f *fixture) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.writes
	f.writes = nil
	return w
}

func (f *fixture) track(answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tracking = answer
}

// pass has the controller look at everything, with caches that know all there is.
func (f *fixture) pass() {
	f.t.Helper()
	ctx := context.Background()
	secrets, err := f.secrets.List(ctx, metav1.ListOptions{})
	f.Must(err)
	accounts, err := f.accounts.List(ctx, metav1.ListOptions{})
	f.Must(err)
	pods, err := f.Admin.CoreV1().Pods(f.namespace).List(ctx, metav1.ListOptions{})
	f.Must(err)
	f.Eventually(func() error {
		for _, s := range secrets.Items {
			if got, _ := f.cleaner.secrets.Get(s.Namespace, s.Name); s.Type == corev1.SecretTypeServiceAccountToken && (got == nil || got.ResourceVersion != s.ResourceVersion) {
				return fmt.Errorf("the cache has not seen Secret %s", s.Name)
			}
		}
		for _, a := range accounts.Items {
			if got, _ := f.cleaner.accounts.Get(a.Namespace, a.Name); got == nil || got.ResourceVersion != a.ResourceVersion {
				return fmt.Errorf("the cache has not seen ServiceAccount %s", a.Name)
			}
		}
		if n := len(f.cleaner.pods.InNamespace(f.namespace)); n != len(pods.Items) {
			return fmt.Errorf("the cache has %d pods", n)
		}
		return nil
	})
	f.sent()
	f.cleaner.pass(ctx)
}

// legacy makes an account with token Secrets as former versions did.
func (f *fixture) legacy(account string, secrets ...string) {
	f.t.Helper()
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}
	for _, name := range secrets {
		sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: name})
	}
	_, err := f.accounts.Create(f.t.Context(), sa, metav1.CreateOptions{})
	f.Must(err)
	for _, name := range secrets {
		f.create(name, account)
	}
}

func (f *fixture) create(name, account string) {
	f.t.Helper()
	_, err := f.secrets.Create(f.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.ServiceAccountNameKey: account}},
		Type:       corev1.SecretTypeServiceAccountToken, Data: map[string][]byte{"token": []byte("mine")},
	}, metav1.CreateOptions{})
	f.Must(err)
}

func (f *fixture) patch(secret, patch string) {
	f.t.Helper()
	_, err := f.secrets.Patch(f.t.Context(), secret, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	f.Must(err)
}

func (f *fixture) label(secret, key, value string) {
	f.t.Helper()
	f.patch(secret, fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value))
}

func (f *fixture) get(secret string) *corev1.Secret {
	f.t.Helper()
	s, err := f.secrets.Get(f.t.Context(), secret, metav1.GetOptions{})
	f.Must(err)
	return s
}

func (f *fixture) today() string { return f.clock.Now().UTC().Format(time.DateOnly) }

// silent checks that a pass wrote nothing.
func (f *fixture) silent(why string) {
	f.t.Helper()
	f.pass()
	if sent := f.sent(); len(sent) != 0 {
		f.t.Errorf("%s: sent %q", why, sent)
	}
}

func since(date string) string {
	answer, _ := json.Marshal(map[string]any{"kind": "ConfigMap", "apiVersion": "v1", "metadata": map[string]string{"name": trackingName}, "data": map[string]string{"since": date}})
	return string(answer)
}
