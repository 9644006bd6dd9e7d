// SPDX-License-Identifier: Apache-2.0

// Package certificaterequest has what the controllers of
// CertificateSigningRequests know in common: how a request is read, which
// requests are those of kubelets, and how far one has come.
package certificaterequest

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"
	certificatesv1 "k8s.io/api/certificates/v1"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/workqueue"
)

// Parse reads the request inside an object. Its signature is not verified.
func Parse(csr *certificatesv1.CertificateSigningRequest) (*x509.CertificateRequest, error) {
	request, err := parse(csr.Spec.Request)
	if err != nil {
		return nil, fmt.Errorf("unable to parse csr %q: %w", csr.Name, err)
	}
	return request, nil
}

func parse(data []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != certutil.CertificateRequestBlockType {
		return nil, errors.New("the first PEM block must be a " + certutil.CertificateRequestBlockType)
	}
	return x509.ParseCertificateRequest(block.Bytes)
}

// Retries spaces the retries of a queue of requests: longer and longer for each
// of them, and not too many for all together.
func Retries() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedMaxOfRateLimiter(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](200*time.Millisecond, 1000*time.Second),
		&workqueue.TypedBucketRateLimiter[string]{Limiter: rate.NewLimiter(10, 100)},
	)
}
