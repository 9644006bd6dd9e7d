// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

type getCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// certificates is the source of serving certificates: the files, reloaded when
// they change, or one that nobody has signed. Last is the one in memory that was
// served until now, or nil; own is the one from now on.
func certificates(c v1beta1.Serving, last *ownCertificate, logger klog.Logger) (get getCertificate, own *ownCertificate, err error) {
	cert, key := c.TLSCertFile, c.TLSPrivateKeyFile
	if cert == "" && c.CertDir != "" {
		if cert, key, err = keptIn(c.CertDir, c.BindAddress, logger); err != nil {
			return nil, nil, err
		}
	}
	if cert != "" {
		pair, err := loadPair(cert, key, logger)
		if err != nil {
			return nil, nil, err
		}
		get = pair.get
	} else {
		if own, err = newOwn(c.BindAddress, last, logger); err != nil {
			return nil, nil, err
		}
		get = own.get
	}
	byName, err := named(c.SNICertKeys, logger)
	if err != nil {
		return nil, nil, err
	}
	return byName.or(get), own, nil
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

func loadPair(cert, key string, logger klog.Logger) (*keyPair, error) {
	k := &keyPair{cert: cert, key: key, logger: logger}
	return k, k.load()
}

func (k *keyPair) load() error {
	stamp := k.stat()
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return fmt.Errorf("serving certificate %s with key %s: %w", k.cert, k.key, err)
	}
	k.pair, k.stamp = &pair, stamp
	if leaf := pair.Leaf; leaf != nil && time.Now().After(leaf.NotAfter) {
		k.logger.Info("The serving certificate has expired", "file", k.cert, "expired", leaf.NotAfter)
	}
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
