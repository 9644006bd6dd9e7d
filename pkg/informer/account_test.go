// SPDX-License-Identifier: Apache-2.0

package informer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTokenSecretsOfAccount(t *testing.T) {
	secret := func(namespace, name, account string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if account != "" {
			s.Annotations = map[string]string{"kubernetes.io/service-account.name": account}
		}
		return s
	}
	c := CacheOf(TokenSecrets(), secret("ns", "one", "a"), secret("ns", "two", "b"), secret("other", "three", "a"), secret("ns", "four", ""))
	got := c.OfAccount("ns", "a")
	if len(got) != 1 || got[0].Name != "one" {
		t.Errorf("got %v", got)
	}
	if got := c.OfAccount("ns", ""); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestTokensStayOutOfTheCache(t *testing.T) {
	s := &corev1.Secret{Data: map[string][]byte{"ca.crt": []byte("CA"), "namespace": []byte("ns"), "token": []byte("secret"), "more": []byte("secret")}}
	want := map[string][]byte{"ca.crt": []byte("CA"), "namespace": []byte("ns"), "token": {0}}
	for range 2 {
		trimTokenSecret(s)
		if diff := cmp.Diff(want, s.Data); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	s.Data = map[string][]byte{"token": {}}
	trimTokenSecret(s)
	if len(s.Data) != 0 {
		t.Errorf("an empty token became %v", s.Data)
	}
}

func TestTrimmedPodsNameTheirSecrets(t *testing.T) {
	ref := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	env := func(name string) []corev1.EnvVar {
		return []corev1.EnvVar{
			{Name: "plain", Value: "x"},
			{Name: "a", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{Key: "k"}}},
			{Name: "b", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref(name), Key: "k", Optional: new(true)}}},
			{Name: "c", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref(name), Key: "another"}}},
		}
	}
	from := func(name string) []corev1.EnvFromSource {
		return []corev1.EnvFromSource{
			{Prefix: "P", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref(name)}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref("map")}},
		}
	}
	keptEnv := func(name string) []corev1.EnvVar {
		return []corev1.EnvVar{{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref(name)}}}}
	}
	keptFrom := func(name string) []corev1.EnvFromSource {
		return []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref(name)}}}
	}
	p := &corev1.Pod{Spec: corev1.PodSpec{
		ImagePullSecrets: []corev1.LocalObjectReference{ref("pull")},
		InitContainers:   []corev1.Container{{Name: "i", Image: "x", Command: []string{"c"}, Env: env("init")}},
		Containers:       []corev1.Container{{Name: "c", Image: "x", Args: []string{"a"}, EnvFrom: from("main")}, {Name: "d", Env: env("main")[:2]}},
		EphemeralContainers: []corev1.EphemeralContainer{
			{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e", Image: "x", Env: env("debug"), EnvFrom: from("debug-all")}},
			{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "f", Image: "x"}},
		},
	}}
	want := corev1.PodSpec{
		ImagePullSecrets: []corev1.LocalObjectReference{ref("pull")},
		InitContainers:   []corev1.Container{{Name: "i", Image: "x", Env: keptEnv("init")}},
		Containers:       []corev1.Container{{Name: "c", Image: "x", EnvFrom: keptFrom("main")}, {Name: "d"}},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: "e", Env: keptEnv("debug"), EnvFrom: keptFrom("debug-all"),
		}}},
	}
	for range 2 {
		trimPod(p)
		if diff := cmp.Diff(want, p.Spec); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
