// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Compact has etcd forget all revisions before the present one, so that a watch
// that asks for an older one is told that it is too old.
func (p *Plane) Compact(ctx context.Context) error {
	var status struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err := p.etcd(ctx, "/v3/maintenance/status", struct{}{}, &status); err != nil {
		return err
	}
	return p.etcd(ctx, "/v3/kv/compaction", map[string]any{"revision": status.Header.Revision, "physical": true}, nil)
}

func (p *Plane) etcd(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+loopback(p.ports.etcd)+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd %s: %s: %s", path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// Credentials are a kubeconfig of a component whose certificate is in files beside
// it, so that it can be renewed.
type Credentials struct {
	Kubeconfig string

	plane     *Plane
	client    string
	cert, key string
}

// NewCredentials writes credentials of a component into a folder; they are valid
// until Renew says so, and at first not at all.
func (p *Plane) NewCredentials(dir, client string) (*Credentials, error) {
	c := &Credentials{plane: p, client: client, Kubeconfig: filepath.Join(dir, client+".kubeconfig"),
		cert: filepath.Join(dir, client+".crt"), key: filepath.Join(dir, client+".key")}
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{Server: p.ServerURL, CertificateAuthorityData: p.pki.ca.certPEM}
	config.AuthInfos[client] = &clientcmdapi.AuthInfo{ClientCertificate: c.cert, ClientKey: c.key}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: client}
	config.CurrentContext = "local"
	return c, clientcmd.WriteToFile(*config, c.Kubeconfig)
}

// Renew replaces the certificate by one that is valid until then.
func (c *Credentials) Renew(until time.Time) error {
	template := clientTemplate(clientSubjects[c.client])
	template.NotAfter = until
	pair, err := c.plane.pki.ca.issue(template)
	if err != nil {
		return err
	}
	for path, data := range map[string][]byte{c.key: pair.keyPEM, c.cert: pair.certPEM} {
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}
