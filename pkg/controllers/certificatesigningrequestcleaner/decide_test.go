// SPDX-License-Identifier: Apache-2.0

package certificatesigningrequestcleaner

import (
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"
)

// certificate is valid for a year from about now on.
func certificate(t testing.TB) []byte {
	t.Helper()
	pem, _, err := certutil.GenerateSelfSignedCertKeyWithOptions(certutil.SelfSignedCertKeyOptions{Host: "a", MaxAge: 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func TestOutdated(t *testing.T) {
	good := certificate(t)
	garbage := []byte("-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n")
	key := []byte(strings.ReplaceAll(string(garbage), "CERTIFICATE", "PRIVATE KEY"))
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	for what, c := range map[string]struct {
		conditions string // as in "Approved Failed"
		age        time.Duration
		cert       []byte
		later      time.Duration // from when the certificate was made
		want       string
	}{
		"pending 23h":                    {"", 23 * time.Hour, nil, 0, ""},
		"pending 24h":                    {"", day, nil, 0, ""},
		"pending 25h":                    {"", 25 * time.Hour, nil, 0, "never answered"},
		"issued 50m":                     {"Approved", 50 * time.Minute, good, 0, ""},
		"issued 1h":                      {"Approved", time.Hour, good, 0, ""},
		"issued 2h":                      {"Approved", 2 * time.Hour, good, 0, "issued"},
		"denied 50m":                     {"Denied", 50 * time.Minute, nil, 0, ""},
		"denied 2h":                      {"Denied", 2 * time.Hour, nil, 0, "denied"},
		"denied after approval":          {"Approved Denied", 2 * time.Hour, nil, 0, "denied"},
		"failed 50m":                     {"Approved Failed", 50 * time.Minute, nil, 0, ""},
		"failed 2h":                      {"Approved Failed", 2 * time.Hour, nil, 0, "failed"},
		"unissued 23h":                   {"Approved", 23 * time.Hour, nil, 0, ""},
		"unissued 24h":                   {"Approved", day, nil, 0, ""},
		"unissued 25h":                   {"Approved", 25 * time.Hour, nil, 0, "approved but never issued"},
		"another condition 25h":          {"Other", 25 * time.Hour, nil, 0, ""},
		"issued a minute ago, expired":   {"Approved", time.Minute, good, year + day, "expired"},
		"issued a minute ago, valid":     {"Approved", time.Minute, good, year - day, ""},
		"expired, not approved":          {"Other", time.Minute, good, year + day, ""},
		"garbage a minute ago":           {"Approved", time.Minute, garbage, year + day, ""},
		"garbage 2h":                     {"Approved", 2 * time.Hour, garbage, 0, "issued"},
		"no PEM a minute ago":            {"Approved", time.Minute, []byte("x"), year + day, ""},
		"another block before it":        {"Approved", time.Minute, append(key, good...), year + day, ""},
		"two certificates, first counts": {"Approved", time.Minute, append(append([]byte{}, good...), garbage...), year + day, "expired"},
	} {
		now := time.Now().Add(c.later)
		at := metav1.NewTime(now.Add(-c.age))
		csr := &certificatesv1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at}}
		csr.Status.Certificate = c.cert
		for _, name := range strings.Fields(c.conditions) {
			csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
				Type: certificatesv1.RequestConditionType(name), LastUpdateTime: at,
			})
		}
		if got := outdated(csr, now); got != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
		for i := range csr.Status.Conditions {
			csr.Status.Conditions[i].LastUpdateTime = metav1.Time{}
		}
		csr.CreationTimestamp = metav1.Time{}
		if got := outdated(csr, now); got != "" && got != "expired" {
			t.Errorf("%s, without times: got %q", what, got)
		}
	}
}

// FuzzExpired looks for what would take the process down.
func FuzzExpired(f *testing.F) {
	f.Add(certificate(f))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if now := time.Now(); expired(data, now) && !expired(data, now.Add(time.Hour)) {
			t.Error("valid again")
		}
	})
}
