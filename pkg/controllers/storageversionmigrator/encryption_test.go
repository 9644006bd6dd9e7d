// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"encoding/base64"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// encryption is how the API server stores Secrets.
var encryption keys

// keys are those of encryption, the newest first, in a file.
type keys struct {
	path string
	list string
	n    int
}

// renew has the API server, after its next start, store Secrets with a new key, and
// read them with all.
func (k *keys) renew() error {
	k.n++
	secret := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%032d", k.n))
	k.list = fmt.Sprintf("      - {name: key-%d, secret: %s}\n", k.n, secret) + k.list
	return os.WriteFile(k.path, []byte(`apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox:
      keys:
`+k.list), 0o600)
}

// Another key is another form of storage, without another version. The server
// writes what does not change only when it is stored in another form, so what is
// written once and not again has the new one.
func TestSecretsAreEncryptedAnew(t *testing.T) {
	w := newWorld(t)
	secrets := w.Admin.CoreV1().Secrets(w.NS)
	for i := range 10 {
		_, err := secrets.Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("secret-%d", i)}, Data: map[string][]byte{"k": []byte("v")},
		}, metav1.CreateOptions{})
		w.Must(err)
	}
	versions := func() map[string]string {
		t.Helper()
		all := map[string]string{}
		testkit.Eventually(t, harness.Timeout, func() error {
			list, err := secrets.List(t.Context(), metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, s := range list.Items {
				all[s.Name] = s.ResourceVersion
			}
			return nil
		})
		return all
	}
	w.Must(encryption.renew())
	shared.Plane(t).StopAPIServer()
	w.Must(shared.Plane(t).StartAPIServer(t.Context()))

	before := versions()
	of := metav1.GroupResource{Resource: "secrets"}
	w.start()
	w.migrate("first", of)
	w.eventuallySucceeded("first")
	after := versions()
	for name, version := range before {
		if after[name] == version {
			t.Errorf("%s was not written", name)
		}
	}
	w.migrate("second", of)
	w.eventuallySucceeded("second")
	for name, version := range versions() {
		if after[name] != version {
			t.Errorf("%s was written again", name)
		}
	}
}
