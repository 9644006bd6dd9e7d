// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestsigning

import (
	"crypto/x509"
	"fmt"
	"slices"

	certificatesv1 "k8s.io/api/certificates/v1"
)

// translate puts usages into the terms of certificates: a set of bits, and a list
// that is sorted and has nothing twice.
func translate(usages []certificatesv1.KeyUsage) (x509.KeyUsage, []x509.ExtKeyUsage, error) {
	var (
		bits     x509.KeyUsage
		extended []x509.ExtKeyUsage
		unknown  []certificatesv1.KeyUsage
	)
	for _, u := range usages {
		if bit := bitOf(u); bit != 0 {
			bits |= bit
		} else if e, ok := extendedOf(u); ok {
			extended = append(extended, e)
		} else {
			unknown = append(unknown, u)
		}
	}
	if len(unknown) > 0 {
		return 0, nil, fmt.Errorf("unrecognized usage values: %q", unknown)
	}
	slices.Sort(extended)
	return bits, slices.Compact(extended), nil
}

// bitOf is 0 for what is no basic usage.
func bitOf(u certificatesv1.KeyUsage) x509.KeyUsage {
	switch u {
	case certificatesv1.UsageSigning, certificatesv1.UsageDigitalSignature:
		return x509.KeyUsageDigitalSignature
	case certificatesv1.UsageContentCommitment:
		return x509.KeyUsageContentCommitment
	case certificatesv1.UsageKeyEncipherment:
		return x509.KeyUsageKeyEncipherment
	case certificatesv1.UsageKeyAgreement:
		return x509.KeyUsageKeyAgreement
	case certificatesv1.UsageDataEncipherment:
		return x509.KeyUsageDataEncipherment
	case certificatesv1.UsageCertSign:
		return x509.KeyUsageCertSign
	case certificatesv1.UsageCRLSign:
		return x509.KeyUsageCRLSign
	case certificatesv1.UsageEncipherOnly:
		return x509.KeyUsageEncipherOnly
	case certificatesv1.UsageDecipherOnly:
		return x509.KeyUsageDecipherOnly
	}
	return 0
}

func extendedOf(u certificatesv1.KeyUsage) (x509.ExtKeyUsage, bool) {
	switch u {
	case certificatesv1.UsageAny:
		return x509.ExtKeyUsageAny, true
	case certificatesv1.UsageServerAuth:
		return x509.ExtKeyUsageServerAuth, true
	case certificatesv1.UsageClientAuth:
		return x509.ExtKeyUsageClientAuth, true
	case certificatesv1.UsageCodeSigning:
		return x509.ExtKeyUsageCodeSigning, true
	case certificatesv1.UsageEmailProtection, certificatesv1.UsageSMIME:
		return x509.ExtKeyUsageEmailProtection, true
	case certificatesv1.UsageIPsecEndSystem:
		return x509.ExtKeyUsageIPSECEndSystem, true
	case certificatesv1.UsageIPsecTunnel:
		return x509.ExtKeyUsageIPSECTunnel, true
	case certificatesv1.UsageIPsecUser:
		return x509.ExtKeyUsageIPSECUser, true
	case certificatesv1.UsageTimestamping:
		return x509.ExtKeyUsageTimeStamping, true
	case certificatesv1.UsageOCSPSigning:
		return x509.ExtKeyUsageOCSPSigning, true
	case certificatesv1.UsageMicrosoftSGC:
		return x509.ExtKeyUsageMicrosoftServerGatedCrypto, true
	case certificatesv1.UsageNetscapeSGC:
		return x509.ExtKeyUsageNetscapeServerGatedCrypto, true
	}
	return 0, false
}
