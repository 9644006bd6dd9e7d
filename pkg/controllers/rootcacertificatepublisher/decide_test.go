// SPDX-License-Identifier: Apache-2.0

package rootcacertificatepublisher

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRepaired(t *testing.T) {
	cases := map[string]struct {
		change func(*corev1.ConfigMap)
		keep   bool
	}{
		"as created":              {change: func(*corev1.ConfigMap) {}, keep: true},
		"another CA":              {change: func(cm *corev1.ConfigMap) { cm.Data["ca.crt"] = "old" }},
		"emptied":                 {change: func(cm *corev1.ConfigMap) { cm.Data = nil }},
		"extra key":               {change: func(cm *corev1.ConfigMap) { cm.Data["more"] = "x" }},
		"renamed key":             {change: func(cm *corev1.ConfigMap) { cm.Data = map[string]string{"ca": "CA"} }},
		"no annotations":          {change: func(cm *corev1.ConfigMap) { cm.Annotations = nil }},
		"empty description":       {change: func(cm *corev1.ConfigMap) { cm.Annotations["kubernetes.io/description"] = "" }},
		"another description":     {change: func(cm *corev1.ConfigMap) { cm.Annotations["kubernetes.io/description"] = "mine" }, keep: true},
		"other annotations":       {change: func(cm *corev1.ConfigMap) { cm.Annotations["a"] = "b" }, keep: true},
		"labels":                  {change: func(cm *corev1.ConfigMap) { cm.Labels = map[string]string{"a": "b"} }, keep: true},
		"binary data":             {change: func(cm *corev1.ConfigMap) { cm.BinaryData = map[string][]byte{"a": {1}} }, keep: true},
		"immutable":               {change: func(cm *corev1.ConfigMap) { cm.Immutable = new(true) }, keep: true},
		"wrong, with other parts": {change: func(cm *corev1.ConfigMap) { cm.Data, cm.Annotations["a"], cm.ResourceVersion = nil, "b", "7" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cached := created("ns", "CA")
			c.change(cached)
			before := cached.DeepCopy()
			got := repaired(cached, "CA")
			if diff := cmp.Diff(before, cached); diff != "" {
				t.Errorf("the cached object was changed (-before +after):\n%s", diff)
			}
			if c.keep {
				if got != nil {
					t.Errorf("got %+v, want no change", got)
				}
				return
			}
			want := before.DeepCopy()
			want.Data = map[string]string{"ca.crt": "CA"}
			metav1.SetMetaDataAnnotation(&want.ObjectMeta, "kubernetes.io/description", description)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRepairedOnce(f *testing.F) {
	f.Add("CA", "ca.crt", "old", "text")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, ca, key, value, text string) {
		cm := created("ns", value)
		cm.Data[key] = value
		cm.Annotations[descriptionAnnotation] = text
		if changed := repaired(cm, ca); changed != nil && repaired(changed, ca) != nil {
			t.Errorf("repaired twice: %+v", changed)
		}
	})
}

func TestClosed(t *testing.T) {
	in := func(phase corev1.NamespacePhase) *corev1.Namespace {
		return &corev1.Namespace{Status: corev1.NamespaceStatus{Phase: phase}}
	}
	if closed(in(corev1.NamespaceActive), true) || closed(in(""), true) {
		t.Error("an open namespace is closed")
	}
	if !closed(in(corev1.NamespaceTerminating), true) || !closed(nil, false) {
		t.Error("a namespace that is gone or going is open")
	}
}
