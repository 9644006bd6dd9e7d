// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

func (s *signer) sync(ctx context.Context, name string) error {
	r, found := s.requests.Get("", name)
	if !found || !pending(r) || r.Spec.SignerName != s.name {
		return nil
	}
	request, err := certificaterequest.Parse(r)
	if err != nil {
		return err
	}
	requests := s.client.CertificatesV1().CertificateSigningRequests()
	if why := s.check(request, r.Spec.Usages); why != nil {
		if _, err := requests.UpdateStatus(ctx, refused(r, why, s.clock.Now()), metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("error adding failure condition for csr: %w", err)
		}
		return nil
	}
	t := terms{usages: r.Spec.Usages, lifetime: lifetime(r.Spec.ExpirationSeconds, s.duration)}
	cert, err := s.ca.Current().sign(request, t, s.clock.Now())
	if err != nil {
		return fmt.Errorf("error auto signing csr: %w", err)
	}
	r = r.DeepCopy()
	r.Status.Certificate = cert
	if _, err := requests.UpdateStatus(ctx, r, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("error updating signature for csr: %w", err)
	}
	return nil
}

// renew tries anew what a signer could not sign before its CA was replaced, instead
// of when the retry is due.
func (c *signing) renew(_ context.Context, name string) error {
	for _, r := range c.requests.OfSigner(name) {
		if pending(r) {
			c.queueRequest(r)
		}
	}
	return nil
}
