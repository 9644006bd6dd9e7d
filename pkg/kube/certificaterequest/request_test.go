// SPDX-License-Identifier: Apache-2.0

package certificaterequest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"
)

// kubelet is the request of a kubelet's client certificate, changed.
func kubelet(change func(*x509.CertificateRequest)) *x509.CertificateRequest {
	r := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:a", Organization: []string{"system:nodes"}}}
	if change != nil {
		change(r)
	}
	return r
}

func usages(names string) (list []certificatesv1.KeyUsage) {
	for name := range strings.SplitSeq(names, ", ") {
		list = append(list, certificatesv1.KeyUsage(name))
	}
	return list
}

func encode(t testing.TB, r *x509.CertificateRequest) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := certutil.MakeCSRFromTemplate(key, r)
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func dns(r *x509.CertificateRequest)   { r.DNSNames = []string{"a.example"} }
func ip(r *x509.CertificateRequest)    { r.IPAddresses = []net.IP{{10, 0, 0, 1}} }
func email(r *x509.CertificateRequest) { r.EmailAddresses = []string{"a@example.org"} }
func uri(r *x509.CertificateRequest)   { r.URIs = []*url.URL{{Scheme: "spiffe", Host: "a"}} }

func organizations(names ...string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.Subject.Organization = names }
}

func commonName(name string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.Subject.CommonName = name }
}

func all(changes ...func(*x509.CertificateRequest)) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) {
		for _, change := range changes {
			change(r)
		}
	}
}

func verdict(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKubeletClient(t *testing.T) {
	const (
		usual        = "digital signature, key encipherment, client auth"
		organization = "subject organization is not system:nodes"
		name         = "subject common name does not begin with system:node:"
		use          = "usages did not match [client auth digital signature key encipherment]"
	)
	for what, c := range map[string]struct {
		change func(*x509.CertificateRequest)
		usages string
		want   string
	}{
		"usual":                          {nil, usual, ""},
		"without key encipherment":       {nil, "digital signature, client auth", ""},
		"another order, and one twice":   {nil, "client auth, key encipherment, client auth, digital signature", ""},
		"no organization":                {organizations(), usual, organization},
		"another organization":           {organizations("system:masters"), usual, organization},
		"a second organization":          {organizations("system:nodes", "system:masters"), usual, organization},
		"the same one twice":             {organizations("system:nodes", "system:nodes"), usual, organization},
		"DNS name":                       {dns, usual, "DNS subjectAltNames are not allowed"},
		"email address":                  {email, usual, "Email subjectAltNames are not allowed"},
		"IP address":                     {ip, usual, "IP subjectAltNames are not allowed"},
		"URI":                            {uri, usual, "URI subjectAltNames are not allowed"},
		"no node":                        {commonName("admin"), usual, name},
		"prefix inside":                  {commonName("x-system:node:a"), usual, name},
		"server":                         {nil, "digital signature, key encipherment, server auth", use},
		"client and server":              {nil, usual + ", server auth", use},
		"no client":                      {nil, "digital signature, key encipherment", use},
		"no signature":                   {nil, "key encipherment, client auth", use},
		"organization comes before all":  {all(organizations("a"), dns, commonName("b")), "any", organization},
		"names come before subject name": {all(uri, ip, email, commonName("b")), "any", "Email subjectAltNames are not allowed"},
		"subject name before usages":     {commonName("b"), "any", name},
	} {
		if got := verdict(KubeletClient(kubelet(c.change), usages(c.usages))); got != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}

func TestKubeletServing(t *testing.T) {
	const (
		usual        = "digital signature, key encipherment, server auth"
		organization = "subject organization is not system:nodes"
		use          = "usages did not match [digital signature key encipherment server auth]"
	)
	for what, c := range map[string]struct {
		change func(*x509.CertificateRequest)
		usages string
		want   string
	}{
		"DNS name":                      {dns, usual, ""},
		"IP address":                    {ip, usual, ""},
		"both":                          {all(dns, ip), "digital signature, server auth", ""},
		"no name":                       {nil, usual, "DNS or IP subjectAltName is required"},
		"email address":                 {all(dns, email), usual, "Email subjectAltNames are not allowed"},
		"URI":                           {all(dns, uri), usual, "URI subjectAltNames are not allowed"},
		"only an email address":         {email, usual, "DNS or IP subjectAltName is required"},
		"another organization":          {all(dns, organizations("a")), usual, organization},
		"organization comes before all": {all(email, organizations("a")), "any", organization},
		"client":                        {dns, "digital signature, key encipherment, client auth", use},
		"client and server":             {dns, usual + ", client auth", use},
		"no node":                       {all(dns, commonName("admin")), usual, "subject common name does not begin with system:node:"},
		"usages come before the name":   {all(dns, commonName("admin")), "any", use},
	} {
		if got := verdict(KubeletServing(kubelet(c.change), usages(c.usages))); got != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	good := encode(t, kubelet(all(dns, ip)))
	other := []byte(strings.ReplaceAll(string(good), "CERTIFICATE REQUEST", "CERTIFICATE"))
	for what, c := range map[string]struct {
		data []byte
		ok   bool
	}{
		"request":               {good, true},
		"after text":            {append([]byte("text\n"), good...), true},
		"before something else": {append(append([]byte{}, good...), other...), true},
		"nothing":               {nil, false},
		"no PEM":                {[]byte("text"), false},
		"another type":          {other, false},
		"another type first":    {append(append([]byte{}, other...), good...), false},
		"another content":       {[]byte("-----BEGIN CERTIFICATE REQUEST-----\nMTIz\n-----END CERTIFICATE REQUEST-----\n"), false},
	} {
		r, err := Parse(&certificatesv1.CertificateSigningRequest{
			ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: certificatesv1.CertificateSigningRequestSpec{Request: c.data},
		})
		switch {
		case c.ok && (err != nil || r.Subject.CommonName != "system:node:a"):
			t.Errorf("%s: %+v, %v", what, r, err)
		case !c.ok && (err == nil || !strings.HasPrefix(err.Error(), `unable to parse csr "a": `)):
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzParse looks for what would take the process down or is judged in two ways.
func FuzzParse(f *testing.F) {
	f.Add(encode(f, kubelet(nil)), "digital signature, client auth")
	f.Add(encode(f, kubelet(all(dns, uri))), "any")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, data []byte, use string) {
		r, err := parse(data)
		if err != nil {
			return
		}
		if KubeletClient(r, usages(use)) == nil && KubeletServing(r, usages(use)) == nil {
			t.Errorf("%+v is both of a client and of a server", r.Subject)
		}
	})
}

func TestState(t *testing.T) {
	with := func(conditions ...string) *certificatesv1.CertificateSigningRequest {
		csr := &certificatesv1.CertificateSigningRequest{}
		for _, c := range conditions {
			name, status, _ := strings.Cut(c, "=")
			csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
				Type: certificatesv1.RequestConditionType(name), Status: corev1.ConditionStatus(status),
			})
		}
		return csr
	}
	for _, c := range []struct {
		csr                       *certificatesv1.CertificateSigningRequest
		approved, decided, failed bool
	}{
		{with(), false, false, false},
		{with("Approved=True"), true, true, false},
		{with("Approved=False"), true, true, false},
		{with("Denied=True"), false, true, false},
		{with("Denied=Unknown"), false, true, false},
		{with("Approved=True", "Denied=True"), false, true, false},
		{with("Approved=True", "Failed=True"), true, true, true},
		{with("Failed"), false, false, true},
		{with("Failed=False"), false, false, false},
		{with("Failed=Unknown"), false, false, false},
		{with("Other=True"), false, false, false},
	} {
		if Approved(c.csr) != c.approved || Decided(c.csr) != c.decided || Failed(c.csr) != c.failed {
			t.Errorf("%+v: approved %v, decided %v, failed %v", c.csr.Status, Approved(c.csr), Decided(c.csr), Failed(c.csr))
		}
	}
}

func TestRetries(t *testing.T) {
	r := Retries()
	if first, second := r.When("a"), r.When("a"); first.Milliseconds() != 200 || second.Milliseconds() != 400 {
		t.Errorf("%s, %s", first, second)
	}
	for range 20 {
		r.When("a")
	}
	if d := r.When("a"); d.Seconds() != 1000 {
		t.Errorf("%s after many failures", d)
	}
	r.Forget("a")
	if d := r.When("a"); d.Milliseconds() != 200 {
		t.Errorf("%s after a success", d)
	}
}
