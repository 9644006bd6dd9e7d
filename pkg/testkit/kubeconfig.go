// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfig returns the path of the kubeconfig of a client: "admin" or the
// name of a component. All its data is inline.
func (p *Plane) kubeconfig(client string) string {
	return filepath.Join(p.Dir, client+".kubeconfig")
}

func (p *Plane) writeKubeconfigs() error {
	for client, pair := range p.pki.clients {
		config := clientcmdapi.NewConfig()
		config.Clusters["local"] = &clientcmdapi.Cluster{
			Server:                   p.ServerURL,
			CertificateAuthorityData: p.pki.ca.certPEM,
		}
		config.AuthInfos[client] = &clientcmdapi.AuthInfo{
			ClientCertificateData: pair.certPEM,
			ClientKeyData:         pair.keyPEM,
		}
		config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: client}
		config.CurrentContext = "local"
		if err := clientcmd.WriteToFile(*config, p.kubeconfig(client)); err != nil {
			return err
		}
	}
	return nil
}

// AdminConfig returns a new client configuration that may do everything, without
// a rate limit.
func (p *Plane) AdminConfig() *rest.Config { return p.config("admin") }

// ManagerConfig returns a new client configuration with the identity of
// kube-controller-manager, without a rate limit.
func (p *Plane) ManagerConfig() *rest.Config { return p.config(ControllerManager) }

func (p *Plane) config(client string) *rest.Config {
	pair := p.pki.clients[client]
	return &rest.Config{
		Host: p.ServerURL,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: p.pki.ca.certPEM, CertData: pair.certPEM, KeyData: pair.keyPEM,
		},
		QPS: -1,
	}
}
