// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// namedPairs are certificates for single host names, in the order of the
// configuration.
type namedPairs []namedPair

type namedPair struct {
	*keyPair
	// names are the configured ones; without any, the certificate's count.
	names []string
}

func named(list []v1beta1.NamedCertificate, logger klog.Logger) (namedPairs, error) {
	var pairs namedPairs
	for i, c := range list {
		pair, err := loadPair(c.CertFile, c.KeyFile, logger)
		if err != nil {
			return nil, fmt.Errorf("serving.sniCertKeys[%d]: failed to load SNI cert and key: %w", i, err)
		}
		pairs = append(pairs, namedPair{pair, c.Names})
	}
	return pairs, nil
}

// or is the certificate for the name a caller asks for, or the usual one.
func (n namedPairs) or(usual getCertificate) getCertificate {
	if len(n) == 0 {
		return usual
	}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if pair := n.find(asked(hello)); pair != nil {
			return pair, nil
		}
		return usual(hello)
	}
}

// asked is the name a caller asks for, or the address it has reached.
func asked(hello *tls.ClientHelloInfo) string {
	if hello.ServerName != "" || hello.Conn == nil {
		return strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	}
	host, _, _ := net.SplitHostPort(hello.Conn.LocalAddr().String())
	return host
}

// find prefers the whole name to a wildcard, configured names to those in
// certificates, and the earlier of two.
func (n namedPairs) find(host string) *tls.Certificate {
	if host == "" {
		return nil
	}
	patterns := []string{host}
	if _, rest, found := strings.Cut(host, "."); found && net.ParseIP(host) == nil {
		patterns = append(patterns, "*."+rest)
	}
	for _, pattern := range patterns {
		for _, configured := range []bool{true, false} {
			for _, p := range n {
				pair, _ := p.get(nil)
				if configured == (len(p.names) > 0) && p.has(pattern, pair) {
					return pair
				}
			}
		}
	}
	return nil
}

func (p namedPair) has(pattern string, pair *tls.Certificate) bool {
	names := p.names
	if len(names) == 0 {
		names = namesIn(pair.Leaf)
	}
	for _, name := range names {
		if strings.EqualFold(name, pattern) {
			return true
		}
	}
	return false
}

// namesIn are the host names a certificate is for; addresses do not count.
func namesIn(leaf *x509.Certificate) []string {
	if leaf == nil {
		return nil
	}
	names := leaf.DNSNames
	if cn := leaf.Subject.CommonName; net.ParseIP(cn) == nil && len(validation.IsDNS1123Subdomain(strings.TrimPrefix(cn, "*."))) == 0 {
		names = append([]string{cn}, names...)
	}
	return names
}
