// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

var shared = testkit.Shared{}

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// token is a bearer token of a new service account, which may see a path.
func token(t *testing.T, c kubernetes.Interface, name, path string) string {
	t.Helper()
	ctx, ns := t.Context(), metav1.NamespaceDefault
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.CoreV1().ServiceAccounts(ns).Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	if path != "" {
		_, err := c.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name},
			Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{path}, Verbs: []string{"get"}}}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		_, err = c.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: ns, Name: name}}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	r, err := c.CoreV1().ServiceAccounts(ns).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Status.Token
}

// delegating asks the plane who callers are and what they may see.
func delegating(t *testing.T, p int32) func(*configuration) {
	t.Helper()
	k := shared.Plane(t).ManagerKubeconfig
	return func(c *configuration) {
		c.Serving.Port, c.Authorization.AlwaysAllowPaths = p, []string{"/healthz"}
		c.Authentication.Kubeconfig, c.Authorization.Kubeconfig = k, k
		c.Authentication.TokenCacheTTL.Duration = 0
		c.Authorization.CacheAuthorizedTTL.Duration, c.Authorization.CacheUnauthorizedTTL.Duration = 0, 0
	}
}

func admin(t *testing.T) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(shared.Plane(t).AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTokens(t *testing.T) {
	c := admin(t)
	may, mayNot := "Bearer "+token(t, c, "may", "/metrics"), "Bearer "+token(t, c, "may-not", "")
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	f.must(delegating(t, port(t)))
	testkit.Eventually(t, 10*time.Second, func() error { // until the rights are known
		if code := f.as(nil, "/metrics", "Authorization", may); code != 200 {
			return fmt.Errorf("with the right: %d", code)
		}
		return nil
	})
	for _, tc := range []struct {
		token, path string
		want        int
	}{
		{may, "/configz", 403}, {mayNot, "/metrics", 403}, {mayNot, "/healthz", 200}, {"Bearer nonsense", "/metrics", 401},
		{"Bearer nonsense", "/healthz", 401}, {"", "/metrics", 403}, {"Basic YTpi", "/metrics", 403},
	} {
		if code := f.as(nil, tc.path, "Authorization", tc.token); code != tc.want {
			t.Errorf("%s as %.15s: %d, want %d", tc.path, tc.token, code, tc.want)
		}
	}
}

// At any verbosity, the tokens of callers stay out of the log.
func TestTokensAreNotLogged(t *testing.T) {
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.Verbosity(10), ktesting.BufferLogs(true)))
	reviews, err := reviewClient(shared.Plane(t).ManagerKubeconfig, "authentication")
	if err != nil {
		t.Fatal(err)
	}
	secret := token(t, admin(t), "logged", "")
	answer, known, err := (&tokens{reviews, newDelegated(), logger}).AuthenticateToken(klog.NewContext(t.Context(), logger), secret)
	if err != nil || !known || answer.User.GetName() != "system:serviceaccount:default:logged" {
		t.Fatalf("%+v, %v, %v", answer, known, err)
	}
	log := logger.GetSink().(ktesting.Underlier).GetBuffer().String()
	if strings.Contains(log, secret) || strings.Contains(log, "Request Body") {
		t.Errorf("the token is logged: %s", log)
	}
	// The usual client logs what it sends; otherwise the test sees nothing.
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: secret}}
	if _, err := reviews.AuthenticationV1().TokenReviews().Create(klog.NewContext(t.Context(), logger), review, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if log := logger.GetSink().(ktesting.Underlier).GetBuffer().String(); !strings.Contains(log, "Request Body") {
		t.Error("no client logs what it sends any more")
	}
}

// Without files, whom to trust is said by the cluster, and followed there.
func TestTrustOfTheCluster(t *testing.T) {
	plane, c, ctx := shared.Plane(t), admin(t), context.Background()
	f := newFixture(t)
	f.checks = []Check{{Name: "a"}}
	p := port(t)
	f.must(delegating(t, p))
	proxy, err := tls.LoadX509KeyPair(filepath.Join(plane.Dir, "pki", "front-proxy-client.crt"), filepath.Join(plane.Dir, "pki", "front-proxy-client.key"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := tls.X509KeyPair(plane.AdminConfig().CertData, plane.AdminConfig().KeyData)
	if err != nil {
		t.Fatal(err)
	}
	behind := func() int {
		return f.as(&proxy, "/metrics", "X-Remote-User", "someone", "X-Remote-Group", "system:masters")
	}
	both := func(want int) func() error {
		return func() error {
			if a, b := f.as(&root, "/metrics"), behind(); a != want || b != want {
				return fmt.Errorf("a client certificate gets %d, a front proxy %d, want %d", a, b, want)
			}
			return nil
		}
	}
	testkit.Eventually(t, 10*time.Second, both(200))

	// Others are trusted from now on.
	old, err := c.CoreV1().ConfigMaps(lookupNamespace).Get(ctx, lookupName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	restore := func() error {
		now, err := c.CoreV1().ConfigMaps(lookupNamespace).Get(ctx, lookupName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		now.Data = old.Data
		_, err = c.CoreV1().ConfigMaps(lookupNamespace).Update(ctx, now, metav1.UpdateOptions{})
		return err
	}
	defer func() {
		if err := restore(); err != nil {
			t.Error(err)
		}
	}()
	other := newAuthority(t, "other")
	changed := old.DeepCopy()
	changed.Data["client-ca-file"], changed.Data["requestheader-client-ca-file"] = string(other.pem), string(other.pem)
	if _, err := c.CoreV1().ConfigMaps(lookupNamespace).Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, both(401))
	// A new front knows what the old one knew.
	f.must(func(c *configuration) { delegating(t, p)(c); c.Serving.Profiling = false })
	if err := both(401)(); err != nil {
		t.Error(err)
	}
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, both(200))
	f.must(func(c *configuration) { delegating(t, p)(c); c.Authentication.SkipLookup = true })
	if err := both(403)(); err != nil {
		t.Errorf("without the lookup: %v", err)
	}
}

// broken is a kubeconfig of a server that does not answer.
func broken(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: "http://127.0.0.1:%d"}}], users: [{name: x, user: {token: very-secret}}]}`, port(t))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWithoutTheClusterHealthIsServed(t *testing.T) {
	ca := newAuthority(t, "ca").file(t.TempDir())
	for name, tc := range map[string]struct {
		change  func(*configuration, string)
		metrics int // 0: the start fails
	}{
		"no kubeconfigs":       {func(*configuration, string) {}, 403},
		"broken authorization": {func(c *configuration, k string) { c.Authorization.Kubeconfig = k }, 500},
		"broken authorization, listed": {func(c *configuration, k string) {
			c.Authorization.Kubeconfig = k
			c.Authorization.AlwaysAllowPaths = []string{"/*"}
		}, 200},
		"broken authentication": {func(c *configuration, k string) { c.Authentication.Kubeconfig = k }, 0},
		"skipped":               {func(c *configuration, k string) { c.Authentication.Kubeconfig, c.Authentication.SkipLookup = k, true }, 403},
		"tolerated": {func(c *configuration, k string) {
			c.Authentication.Kubeconfig, c.Authentication.TolerateLookupFailure = k, true
		}, 403},
		"both files": {func(c *configuration, k string) {
			c.Authentication.Kubeconfig, c.Authentication.ClientCAFile, c.Authentication.RequestHeaderClientCAFile = k, ca, ca
		}, 403},
		"one file": {func(c *configuration, k string) { c.Authentication.Kubeconfig, c.Authentication.ClientCAFile = k, ca }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.checks = []Check{{Name: "a"}}
			err := f.apply(loaded(func(c *configuration) {
				c.Serving.Port, c.Authorization.AlwaysAllowPaths = port(t), []string{"/healthz"}
				tc.change(c, broken(t))
			}))
			if tc.metrics == 0 {
				if err == nil || !strings.Contains(err.Error(), "unable to load configmap based request-header-client-ca-file: ") || strings.Contains(err.Error(), "very-secret") {
					t.Errorf("the start: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a, b := f.as(nil, "/healthz"), f.as(nil, "/metrics"); a != 200 || b != tc.metrics {
				t.Errorf("/healthz %d, /metrics %d, want %d", a, b, tc.metrics)
			}
		})
	}
}

func TestParseTrusted(t *testing.T) {
	good := string(newAuthority(t, "x").pem)
	for name, tc := range map[string]struct {
		data map[string]string
		want error
	}{
		"nothing": {nil, nil},
		"all": {map[string]string{"client-ca-file": good, "requestheader-client-ca-file": good, "requestheader-allowed-names": `["a"]`,
			"requestheader-username-headers": `["X-Remote-User"]`}, nil},
		"no certificate": {map[string]string{"client-ca-file": "x"}, errors.New("client-ca-file")},
		"no list":        {map[string]string{"requestheader-uid-headers": "x"}, errors.New("requestheader-uid-headers")},
	} {
		got, err := parseTrusted(tc.data)
		if (err == nil) != (tc.want == nil) || err != nil && !strings.HasPrefix(err.Error(), tc.want.Error()) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "all" && (got.client == nil || got.proxy == nil || len(got.names) != 1 || len(got.users) != 1 || got.uids != nil) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
