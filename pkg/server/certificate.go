// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

type getCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// certificates is the source of the serving certificate: the files, reloaded
// when they change, or one in memory that nobody has signed.
func certificates(c v1beta1.Serving, logger klog.Logger) (getCertificate, error) {
	if c.TLSCertFile != "" {
		pair := &keyPair{cert: c.TLSCertFile, key: c.TLSPrivateKeyFile, logger: logger}
		if err := pair.load(); err != nil {
			return nil, err
		}
		return pair.get, nil
	}
	var ips []net.IP
	if ip := net.ParseIP(c.BindAddress); ip != nil && !ip.IsUnspecified() {
		ips = append(ips, ip)
	}
	cert, key, err := certutil.GenerateSelfSignedCertKey("localhost", append(ips, net.IPv4(127, 0, 0, 1)), nil)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	logger.Info("Generated self-signed cert in-memory")
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }, nil
}

// recheck is how often files are looked at, at most.
const recheck = time.Second

// keyPair is a certificate in two files. It keeps the last pair that loaded.
type keyPair struct {
	cert, key string
	logger    klog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   string
	checked time.Time
}

func (k *keyPair) load() error {
	stamp := k.stat()
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return fmt.Errorf("serving certificate %s with key %s: %w", k.cert, k.key, err)
	}
	k.pair, k.stamp = &pair, stamp
	return nil
}

// stat changes when a file is written or replaced.
func (k *keyPair) stat() string {
	var stamp string
	for _, name := range []string{k.cert, k.key} {
		if info, err := os.Stat(name); err == nil {
			stamp += fmt.Sprintf("%d/%d;", info.ModTime().UnixNano(), info.Size())
		}
	}
	return stamp
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.Sub(k.checked) > recheck {
		k.checked = now
		if k.stat() != k.stamp {
			if err := k.load(); err != nil {
				k.logger.Error(err, "The new serving certificate does not load, the old one stays")
			} else {
				k.logger.Info("Reloaded the serving certificate", "file", k.cert)
			}
		}
	}
	return k.pair, nil
}
