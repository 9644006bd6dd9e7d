// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// renewal is how long before its end a certificate in memory is made anew; it is
// valid for a year, and the process may live longer.
const renewal = 30 * 24 * time.Hour

// ownCertificate is a certificate in memory that nobody has signed.
type ownCertificate struct {
	host   string
	logger klog.Logger

	mu   sync.Mutex
	pair *tls.Certificate
}

// newOwn keeps the certificate of the configuration before if it has the same
// host.
func newOwn(host string, last *ownCertificate, logger klog.Logger) (*ownCertificate, error) {
	if last != nil && last.host == host {
		return last, nil
	}
	o := &ownCertificate{host: host, logger: logger}
	return o, o.make()
}

func (o *ownCertificate) make() error {
	cert, key, err := selfSigned(o.host)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	o.pair = &pair
	o.logger.Info("Generated self-signed cert in-memory")
	return nil
}

func (o *ownCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pair.Leaf != nil && time.Until(o.pair.Leaf.NotAfter) < renewal {
		if err := o.make(); err != nil {
			o.logger.Error(err, "The self-signed certificate was not renewed")
		}
	}
	return o.pair, nil
}

// selfSigned makes a certificate for localhost and a host's address, in PEM.
func selfSigned(host string) (cert, key []byte, err error) {
	var ips []net.IP
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		ips = append(ips, ip)
	}
	cert, key, err = certutil.GenerateSelfSignedCertKey("localhost", append(ips, net.IPv4(127, 0, 0, 1)), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	return cert, key, nil
}

// keptIn is a self-signed certificate in a folder, made if it is not there.
func keptIn(dir, host string, logger klog.Logger) (cert, key string, err error) {
	cert, key = filepath.Join(dir, client.Program+".crt"), filepath.Join(dir, client.Program+".key")
	there, err := certutil.CanReadCertAndKey(cert, key)
	if err != nil || there {
		return cert, key, err
	}
	certPEM, keyPEM, err := selfSigned(host)
	if err != nil {
		return "", "", err
	}
	if err := certutil.WriteCert(cert, certPEM); err != nil {
		return "", "", fmt.Errorf("self-signed certificate in serving.certDir %s: %w", dir, err)
	}
	if err := keyutil.WriteKey(key, keyPEM); err != nil {
		return "", "", fmt.Errorf("self-signed certificate in serving.certDir %s: %w", dir, err)
	}
	logger.Info("Generated self-signed cert", "cert", cert, "key", key)
	return cert, key, nil
}
