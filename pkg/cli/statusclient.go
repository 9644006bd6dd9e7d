// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	defaultServer = "https://127.0.0.1:10257"
	// serverTimeout bounds one request to a running manager.
	serverTimeout = 10 * time.Second
	// maxAnswer is the longest answer that is read, in bytes.
	maxAnswer = 16 << 20
)

// running is the way to a running manager, as flags describe it.
type running struct {
	server, kubeconfig, context            string
	certificate, key, tokenFile, authority string
	insecure                               bool
}

func (r *running) flags(cmd *cobra.Command, server string) {
	f := cmd.Flags()
	f.StringVar(&r.server, "server", server, "address of the running manager, as https://HOST:PORT")
	f.StringVar(&r.kubeconfig, "kubeconfig", "", "kubeconfig with the credentials; default: $KUBECONFIG or ~/.kube/config. Its server is not used")
	f.StringVar(&r.context, "context", "", "context of the kubeconfig; default: its current one")
	f.StringVar(&r.certificate, "client-certificate", "", "file with a client certificate, instead of the kubeconfig's credentials")
	f.StringVar(&r.key, "client-key", "", "file with the key of --client-certificate")
	f.StringVar(&r.tokenFile, "token-file", "", "file with a bearer token, instead of the kubeconfig's credentials")
	f.StringVar(&r.authority, "ca-file", "", "file with the CA of the manager's certificate; default: the kubeconfig's")
	f.BoolVar(&r.insecure, "insecure-skip-tls-verify", false, "accept any certificate, as the one that the manager makes for itself when it is given none")
}

// connection is a running manager that can be asked.
type connection struct {
	server string
	http   *http.Client
}

func (r *running) connect() (*connection, error) {
	u, err := url.Parse(r.server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("--server %q is not an address like %s", r.server, defaultServer)
	}
	if (r.certificate == "") != (r.key == "") {
		return nil, errors.New("--client-certificate and --client-key are given together")
	}
	cfg, err := r.credentials()
	if err != nil {
		return nil, err
	}
	cfg.Host, cfg.Proxy = r.server, nil
	cfg.ServerName, cfg.NextProtos = "", nil
	cfg.Insecure = r.insecure
	if r.authority != "" {
		cfg.CAFile, cfg.CAData = r.authority, nil
	}
	if r.insecure {
		cfg.CAFile, cfg.CAData = "", nil
	}
	if u.Scheme == "http" { // credentials must not be sent in the clear
		cfg = &rest.Config{Host: r.server}
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	client.Timeout = serverTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &connection{server: strings.TrimSuffix(r.server, "/"), http: client}, nil
}

// credentials are those of the flags, or of the kubeconfig, or none.
func (r *running) credentials() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = r.kubeconfig
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: r.context}).ClientConfig()
	given := r.certificate != "" || r.tokenFile != ""
	switch {
	case clientcmd.IsEmptyConfig(err) || err != nil && given && r.kubeconfig == "":
		cfg = &rest.Config{}
	case err != nil:
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if given {
		trusted := rest.TLSClientConfig{CAFile: cfg.CAFile, CAData: cfg.CAData, CertFile: r.certificate, KeyFile: r.key}
		cfg = &rest.Config{TLSClientConfig: trusted, BearerTokenFile: r.tokenFile}
	}
	return cfg, nil
}

// get decodes the JSON at a path.
func (c *connection) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return c.unreachable(err)
	}
	if resp.StatusCode != http.StatusOK {
		return c.refused(resp, data, path)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s does not answer as this program: %w", c.server, err)
	}
	return nil
}

// unreachable says in a line why there was no answer.
func (c *connection) unreachable(err error) error {
	var unknown x509.UnknownAuthorityError
	var verification *tls.CertificateVerificationError
	var timeout net.Error
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &unknown):
		return fmt.Errorf("the certificate of %s is of nobody that is trusted; give its CA by --ca-file, or --insecure-skip-tls-verify", c.server)
	case errors.As(err, &verification):
		return fmt.Errorf("the certificate of %s is not accepted: %w; give its CA by --ca-file, or --insecure-skip-tls-verify", c.server, verification.Err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer within %s", c.server, serverTimeout)
	}
	return fmt.Errorf("%s is not reachable: %w; --server says where the manager is", c.server, err)
}

// refused says in a line what was missing.
func (c *connection) refused(resp *http.Response, data []byte, path string) error {
	var s metav1.Status
	_ = json.Unmarshal(data, &s) // it need not be one
	right := fmt.Sprintf("the verb get on the nonResourceURL %s", path)
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s does not accept the credentials: %s", c.server, cmp.Or(s.Message, resp.Status))
	case http.StatusForbidden:
		return fmt.Errorf("%s refuses: %s; what is missing is %s", c.server, strings.TrimPrefix(cmp.Or(s.Message, resp.Status), "forbidden: "), right)
	case http.StatusNotFound:
		return fmt.Errorf("%s has no %s: it is not this program, or an older version of it", c.server, path)
	}
	return fmt.Errorf("%s answers %s to %s: %s", c.server, resp.Status, path, cmp.Or(s.Message, strings.TrimSpace(string(data))))
}
