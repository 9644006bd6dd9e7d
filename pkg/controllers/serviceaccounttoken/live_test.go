// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"fmt"
	"os"
	"testing"

	"gopkg.in/go-jose/go-jose.v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// certificate is a new one, in PEM.
func certificate(t *testing.T) []byte {
	t.Helper()
	pem, _, err := certutil.GenerateSelfSignedCertKey("ca", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

// signed fails the test unless the token in a Secret is one of the key.
func (f *fixture) signed(secret string, key crypto.Signer) {
	f.t.Helper()
	token, err := jose.ParseSigned(string(f.filled(secret).Data["token"]))
	f.Must(err)
	if _, err := token.Verify(key.Public()); err != nil {
		f.t.Errorf("%s: %v", secret, err)
	}
}

func TestAnotherKey(t *testing.T) {
	f := prepare(t)
	first, second := ecKey(t, elliptic.P256()), rsaKey(t)
	f.keyFile = f.file("sa.key", keyPEM(t, first))
	f.start()
	f.run.Healthy(true)
	f.account("robot")
	f.create("before", "robot", nil)
	f.signed("before", first)
	before := f.filled("before")

	// A broken key is not used, and the last good one is.
	f.rewrite(f.keyFile, keyPEM(t, ecKey(t, elliptic.P224())))
	f.run.Healthy(false)
	f.rewrite(f.keyFile, []byte("broken"))
	f.run.Healthy(false)
	f.create("meanwhile", "robot", nil)
	f.signed("meanwhile", first)
	f.Must(os.Remove(f.keyFile))
	f.run.Healthy(false)

	// The next one signs what comes, and nothing of what was.
	used := f.tokens.key.Current()
	f.rewrite(f.keyFile, keyPEM(t, second))
	f.Eventually(func() error {
		if f.tokens.key.Current() == used {
			return fmt.Errorf("still the first key")
		}
		return nil
	})
	f.run.Healthy(true)
	f.create("after", "robot", nil)
	f.signed("after", second)
	f.settle()
	if after := f.filled("before"); after.ResourceVersion != before.ResourceVersion {
		t.Error("a token of the first key was touched")
	}

	// Until it is asked to be made anew.
	f.patch("before", `{"data":{"token":null}}`)
	f.signed("before", second)
}

func TestAnotherBundle(t *testing.T) {
	f := prepare(t)
	first, second := certificate(t), certificate(t)
	f.caFile = f.file("ca.crt", first)
	f.start()
	f.account("robot")
	tokens := map[string][]byte{"one": nil, "two": nil}
	has := func(ca []byte) {
		t.Helper()
		for name, token := range tokens {
			f.Eventually(func() error {
				s, err := f.secrets.Get(t.Context(), name, metav1.GetOptions{})
				if err == nil && (!bytes.Equal(s.Data["ca.crt"], ca) || token != nil && !bytes.Equal(s.Data["token"], token)) {
					err = fmt.Errorf("%s: data %q", name, s.Data)
				}
				return err
			})
		}
	}
	for name := range tokens {
		f.create(name, "robot", nil)
		tokens[name] = f.filled(name).Data["token"]
	}
	has(first)

	f.rewrite(f.caFile, []byte("broken"))
	f.run.Healthy(false)
	f.settle()
	has(first)

	f.rewrite(f.caFile, second)
	has(second)
	f.run.Healthy(true)
}

// A kubeconfig that names its CA as a file gives none, and then Secrets keep theirs.
func TestNoBundle(t *testing.T) {
	f := prepare(t)
	plane := shared.Plane(t)
	cfg := plane.ManagerConfig()
	cfg.CAData, cfg.CAFile = nil, plane.CAFile
	var err error
	f.Kit.Clients, err = client.NewFactoryForConfig(cfg, true)
	f.Must(err)
	f.start()
	f.account("robot")
	f.create("none", "robot", nil)
	f.create("some", "robot", map[string][]byte{"ca.crt": []byte("mine")})
	if _, found := f.filled("none").Data["ca.crt"]; found {
		t.Error("a bundle came from nowhere")
	}
	if got := f.filled("some").Data["ca.crt"]; string(got) != "mine" {
		t.Errorf("the bundle is %q", got)
	}
}
