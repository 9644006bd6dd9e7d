// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestUsedBy(t *testing.T) {
	for name, spec := range map[string]string{
		"image pull":                    `{"imagePullSecrets":[{"name":"s"}]}`,
		"variable":                      `{"containers":[{"env":[{"name":"a","valueFrom":{"secretKeyRef":{"name":"s"}}}]}]}`,
		"environment":                   `{"containers":[{"envFrom":[{"secretRef":{"name":"s"}}]}]}`,
		"init container's variable":     `{"initContainers":[{"env":[{"name":"a","valueFrom":{"secretKeyRef":{"name":"s"}}}]}]}`,
		"init container's environment":  `{"initContainers":[{"envFrom":[{"secretRef":{"name":"s"}}]}]}`,
		"ephemeral one's variable":      `{"ephemeralContainers":[{"env":[{"name":"a","valueFrom":{"secretKeyRef":{"name":"s"}}}]}]}`,
		"ephemeral one's environment":   `{"ephemeralContainers":[{"envFrom":[{"secretRef":{"name":"s"}}]}]}`,
		"volume":                        `{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}`,
		"projected volume":              `{"volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"m"}},{"secret":{"name":"s"}}]}}]}`,
		"azureFile":                     `{"volumes":[{"name":"v","azureFile":{"secretName":"s"}}]}`,
		"cephfs":                        `{"volumes":[{"name":"v","cephfs":{"secretRef":{"name":"s"}}}]}`,
		"cinder":                        `{"volumes":[{"name":"v","cinder":{"secretRef":{"name":"s"}}}]}`,
		"flexVolume":                    `{"volumes":[{"name":"v","flexVolume":{"secretRef":{"name":"s"}}}]}`,
		"rbd":                           `{"volumes":[{"name":"v","rbd":{"secretRef":{"name":"s"}}}]}`,
		"scaleIO":                       `{"volumes":[{"name":"v","scaleIO":{"secretRef":{"name":"s"}}}]}`,
		"iscsi":                         `{"volumes":[{"name":"v","iscsi":{"secretRef":{"name":"s"}}}]}`,
		"storageos":                     `{"volumes":[{"name":"v","storageos":{"secretRef":{"name":"s"}}}]}`,
		"csi":                           `{"volumes":[{"name":"v","csi":{"nodePublishSecretRef":{"name":"s"}}}]}`,
		"the second of two containers":  `{"containers":[{"env":[{"name":"a","value":"b"}]},{"envFrom":[{"configMapRef":{"name":"m"}},{"secretRef":{"name":"s"}}]}]}`,
		"the second of two volumes":     `{"volumes":[{"name":"v","cephfs":{}},{"name":"w","secret":{"secretName":"s"}}]}`,
		"nothing, for a map of keys":    `{"containers":[{"env":[{"name":"a","valueFrom":{"configMapKeyRef":{"name":"s"}}}],"envFrom":[{"configMapRef":{"name":"s"}}]}]}`,
		"nothing, for another volume":   `{"volumes":[{"name":"s","configMap":{"name":"s"}},{"name":"t","persistentVolumeClaim":{"claimName":"s"}}]}`,
		"nothing, for its name of user": `{"serviceAccountName":"s"}`,
	} {
		var p corev1.PodSpec
		if err := json.Unmarshal([]byte(spec), &p); err != nil {
			t.Fatal(err)
		}
		var got []string
		usedBy(&p, func(name string) { got = append(got, name) })
		want := []string{"s"}
		if strings.HasPrefix(name, "nothing") {
			want = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestNamespacesAreLookedAtOnce(t *testing.T) {
	looked := map[string]int{}
	u := newUsage(func(namespace string) []*corev1.Pod {
		looked[namespace]++
		return []*corev1.Pod{{Spec: corev1.PodSpec{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "of-" + namespace}}}}}
	})
	for _, c := range []struct {
		namespace, name string
		want            bool
	}{{"a", "of-a", true}, {"a", "of-b", false}, {"b", "of-b", true}, {"b", "", false}} {
		if got := u.of(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name}}); got != c.want {
			t.Errorf("%s/%s: %v", c.namespace, c.name, got)
		}
	}
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1}, looked); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
