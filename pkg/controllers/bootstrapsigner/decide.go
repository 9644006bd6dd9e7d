// SPDX-License-Identifier: Apache-2.0

package bootstrapsigner

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	bootstrap "k8s.io/cluster-bootstrap/token/api"
	"k8s.io/cluster-bootstrap/token/jws"
	"k8s.io/cluster-bootstrap/util/secrets"
)

// sign is the ConfigMap with a signature of every token that is valid now and no
// other, or nil when it is so already or has nothing to sign. The error tells of
// tokens that cannot sign; the others have.
func sign(info *corev1.ConfigMap, tokens []*corev1.Secret, now time.Time) (*corev1.ConfigMap, error) {
	content, found := info.Data[bootstrap.KubeConfigKey]
	if !found {
		return nil, nil
	}
	want := make(map[string]string, len(info.Data))
	for k, v := range info.Data {
		if !strings.HasPrefix(k, bootstrap.JWSSignatureKeyPrefix) {
			want[k] = v
		}
	}
	var failed error
	for _, s := range tokens {
		id, secret, ok := valid(s, now)
		if !ok {
			continue
		}
		signature, err := jws.ComputeDetachedSignature(content, id, secret)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("token %s: %w", id, err))
			continue
		}
		want[bootstrap.JWSSignatureKeyPrefix+id] = signature
	}
	if maps.Equal(want, info.Data) {
		return nil, failed
	}
	signed := info.DeepCopy()
	signed.Data = want
	return signed, failed
}

// valid says whether a token may sign now, and with what.
func valid(s *corev1.Secret, now time.Time) (id, secret string, ok bool) {
	name, ok := secrets.ParseName(s.Name)
	if !ok {
		return "", "", false
	}
	id = secrets.GetData(s, bootstrap.BootstrapTokenIDKey)
	secret = secrets.GetData(s, bootstrap.BootstrapTokenSecretKey)
	ok = id == name && secret != "" && !secrets.HasExpired(s, now) &&
		secrets.GetData(s, bootstrap.BootstrapTokenUsageSigningKey) == "true"
	return id, secret, ok
}
