// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

func (p *Plane) startEtcd(ctx context.Context) error {
	since := time.Now()
	client, peer := "http://"+loopback(p.ports.etcd), "http://"+loopback(p.ports.etcdPeer)
	_, err := p.run(Etcd, p.Binaries.Etcd, nil, []string{
		"--name=local",
		"--data-dir=" + filepath.Join(p.Dir, "etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=local=" + peer,
		// Nothing here is worth keeping through a power cut.
		"--unsafe-no-fsync",
		// A lone member need not wait long before it elects itself.
		"--heartbeat-interval=10",
		"--election-timeout=100",
		"--log-level=warn",
	})
	if err != nil {
		return err
	}
	httpClient := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	err = p.await(ctx, Etcd, func(ctx context.Context) error {
		return getOK(ctx, httpClient, client+"/health")
	})
	if err == nil {
		p.logReady(Etcd, since)
	}
	return err
}

// StopAPIServer ends the API server alone; the other components keep running
// and try to reach it. StartAPIServer brings it back.
func (p *Plane) StopAPIServer() { p.stop(APIServer) }

// StartAPIServer starts an API server that was stopped, with the same address,
// keys and data, and returns when it is ready.
func (p *Plane) StartAPIServer(ctx context.Context) error {
	since := time.Now()
	p.mu.Lock()
	running := p.procs[APIServer].running()
	p.mu.Unlock()
	if running {
		return errors.New("the API server already runs")
	}
	if _, err := p.run(APIServer, p.Binaries.APIServer, nil, p.apiServerArgs()); err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(p.AdminConfig())
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	err = p.await(ctx, APIServer, func(ctx context.Context) error {
		// The API server makes these namespaces a moment after it calls itself
		// ready; leases of managers and nodes live in them.
		for _, path := range []string{"/readyz", "/api/v1/namespaces/default",
			"/api/v1/namespaces/kube-system", "/api/v1/namespaces/kube-node-lease"} {
			if err := getOK(ctx, client, p.ServerURL+path); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		p.logReady(APIServer, since)
	}
	return err
}

func (p *Plane) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=http://" + loopback(p.ports.etcd),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.ports.apiServer),
		"--tls-cert-file=" + p.pkiFile("apiserver.crt"),
		"--tls-private-key-file=" + p.pkiFile("apiserver.key"),
		"--client-ca-file=" + p.CAFile,
		"--authorization-mode=Node,RBAC",
		"--enable-bootstrap-token-auth",
		"--allow-privileged",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + p.pkiFile("sa.pub"),
		"--service-account-signing-key-file=" + p.ServiceAccountKeyFile,
		"--requestheader-client-ca-file=" + p.FrontProxyCAFile,
		"--requestheader-allowed-names=" + frontProxyName,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + p.pkiFile("front-proxy-client.crt"),
		"--proxy-client-key-file=" + p.pkiFile("front-proxy-client.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		// A loopback address must not be advertised as an endpoint.
		"--endpoint-reconciler-type=none",
		// A test that is slowed down by fair queuing measures the wrong thing.
		"--max-requests-inflight=3000",
		"--max-mutating-requests-inflight=1500",
		"--profiling=false",
	}
	if list := p.opts.DisableAdmission; len(list) > 0 {
		args = append(args, "--disable-admission-plugins="+strings.Join(list, ","))
	}
	if gates := p.opts.FeatureGates; len(gates) > 0 {
		args = append(args, "--feature-gates="+pairs(gates))
	}
	if config := p.opts.RuntimeConfig; len(config) > 0 {
		args = append(args, "--runtime-config="+pairs(config))
	}
	return append(args, p.opts.APIServerArgs...)
}

// getOK returns an error unless the server answers a GET with 200.
func getOK(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read to the end below
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", url, response.Status, body)
	}
	return nil
}
