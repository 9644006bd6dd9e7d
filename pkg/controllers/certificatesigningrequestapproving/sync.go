// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestapproving

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
)

func (c *approver) sync(ctx context.Context, name string) error {
	csr, found := c.requests.Get("", name)
	if !found || certificaterequest.Issued(csr) || certificaterequest.Decided(csr) {
		return nil
	}
	request, err := certificaterequest.Parse(csr)
	if err != nil {
		return err
	}
	permissions := sufficient(csr, request)
	if len(permissions) == 0 {
		return nil
	}
	for _, p := range permissions {
		answer, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review(csr, p), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if !answer.Status.Allowed {
			continue
		}
		if _, err := c.client.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, name, approved(csr, p), metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("error updating approval for csr: %w", err)
		}
		return nil
	}
	return notAllowedError{name}
}

// notAllowedError has a request tried again without being news: the permission may
// be given later, and nothing tells of that.
type notAllowedError struct{ csr string }

// Error is part of error.
func (e notAllowedError) Error() string {
	return fmt.Sprintf("recognized csr %q but its user may not have such a certificate", e.csr)
}

// Expected keeps the error out of the log.
func (notAllowedError) Expected() bool { return true }
