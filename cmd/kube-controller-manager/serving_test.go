// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// As much as possible is logged and shown, and no secret is in it.
func TestSecretsNeverShow(t *testing.T) {
	plane := shared.Plane(t)
	base := strings.Replace(lock(t), "verbosity: 2", "verbosity: 10", 1)
	k, key := plane.ManagerKubeconfig, plane.ServiceAccountKeyFile
	p := start(t, base, "--authentication-kubeconfig="+k, "--authorization-kubeconfig="+k, "--service-account-private-key-file="+key,
		"--cluster-signing-cert-file="+plane.CAFile, "--cluster-signing-key-file="+plane.CAKeyFile)
	p.leading()
	ctx, ns := context.Background(), namespace(t)
	_, err := admin(t).CoreV1().ServiceAccounts(ns).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "caller"}}, metav1.CreateOptions{})
	do(t, err)
	token, err := admin(t).CoreV1().ServiceAccounts(ns).CreateToken(ctx, "caller", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	do(t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://127.0.0.1:%d/metrics", p.port), nil)
	do(t, err)
	req.Header.Set("Authorization", "Bearer "+token.Status.Token)
	testkit.Eventually(t, timeout, func() error {
		resp, err := insecure().Do(req.Clone(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			return fmt.Errorf("a token without the right gets %d", resp.StatusCode)
		}
		return nil
	})
	shown := p.logged()
	for _, path := range []string{"/configz", "/flagz", "/statusz", "/metrics", "/healthz/deep"} {
		code, body := p.get(path, false)
		if code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
		shown += body
	}
	secrets := map[string]string{"bearer token": token.Status.Token, "signature": token.Status.Token[strings.LastIndexByte(token.Status.Token, '.')+1:],
		"client key": base64.StdEncoding.EncodeToString(plane.ManagerConfig().KeyData)}
	for name, file := range map[string]string{"service account key": key, "signing key": plane.CAKeyFile} {
		content, err := os.ReadFile(file)
		do(t, err)
		secrets[name] = strings.Split(string(content), "\n")[1]
	}
	for name, secret := range secrets {
		if strings.Contains(shown, secret) {
			t.Errorf("the %s shows", name)
		}
	}
	if !strings.Contains(shown, k) {
		t.Error("the name of the kubeconfig is nowhere, so the test sees nothing")
	}
}

// The verbosity that was set by a request lasts until the file says otherwise,
// and a diagnostics port comes and goes with the file.
func TestServingFollowsTheFile(t *testing.T) {
	base := lock(t)
	p := start(t, base)
	p.leading()
	if code, body := p.get("/statusz", false); code != http.StatusOK || !strings.Contains(body, "Generation: 1\n") || !strings.Contains(body, "Config hash: ") {
		t.Errorf("%d %s", code, body)
	}
	port := freePort(t)
	plain := func(path string) (int, error) {
		resp, err := insecure().Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	if _, err := plain("/healthz"); err == nil {
		t.Error("diagnostics are served before they are asked for")
	}
	p.save(base + fmt.Sprintf("serving: {insecureDiagnosticsPort: %d}\n", port))
	for path, want := range map[string]int{"/healthz": 200, "/metrics": 200, "/debug/pprof/": 200, "/configz": 404} {
		if code, err := plain(path); code != want || err != nil {
			t.Errorf("%s: %d, %v", path, code, err)
		}
	}
	p.save(base + "# again\n")
	if _, err := plain("/healthz"); err == nil {
		t.Error("diagnostics are served when they are not asked for any more")
	}

	requests := func() int { return strings.Count(p.logged(), `verb="GET" URI="/livez"`) }
	ask := func() int {
		before := requests()
		p.get("/livez", true)
		p.get("/livez", true)
		return requests() - before
	}
	if ask() != 0 {
		t.Error("requests are logged at verbosity 2")
	}
	if code, body := p.put("/debug/flags/v", "3"); code != http.StatusOK || !strings.Contains(body, "to 3") {
		t.Errorf("%d %s", code, body)
	}
	if ask() == 0 {
		t.Error("requests are not logged at verbosity 3")
	}
	p.save(strings.Replace(base, "verbosity: 2", "verbosity: 1", 1))
	if ask() != 0 {
		t.Error("requests are logged although the file says 1")
	}
}
