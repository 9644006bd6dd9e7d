// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type data = map[string][]byte

func TestLacks(t *testing.T) {
	whole := data{"ca.crt": []byte("CA"), "namespace": []byte("ns"), "token": []byte("t")}
	with := func(key, value string) data {
		d := maps.Clone(whole)
		d[key] = []byte(value)
		return d
	}
	for name, c := range map[string]struct {
		data data
		ca   string
		want lack
	}{
		"nothing":                   {whole, "CA", lack{}},
		"nothing, with more keys":   {with("more", "x"), "CA", lack{}},
		"everything":                {nil, "CA", lack{ca: true, namespace: true, token: true}},
		"everything but a bundle":   {nil, "", lack{namespace: true, token: true}},
		"a token":                   {with("token", ""), "CA", lack{token: true}},
		"a bundle":                  {with("ca.crt", ""), "CA", lack{ca: true}},
		"another bundle":            {with("ca.crt", "old"), "CA", lack{ca: true}},
		"a bundle to the last byte": {with("ca.crt", "CA\n"), "CA", lack{ca: true}},
		"no bundle, as there is no": {with("ca.crt", "old"), "", lack{}},
		"a namespace":               {with("namespace", ""), "CA", lack{namespace: true}},
		"no other namespace":        {with("namespace", "custom"), "CA", lack{}},
	} {
		got := lacks(&corev1.Secret{Data: c.data}, []byte(c.ca))
		if got != c.want || got.none() != (c.want == lack{}) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestSupply(t *testing.T) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "robot", UID: "1"}}
	annotations := map[string]string{"kubernetes.io/service-account.name": "robot", "kubernetes.io/service-account.uid": "1"}
	for name, c := range map[string]struct {
		data, want data
		lack       lack
	}{
		"everything":       {nil, data{"ca.crt": []byte("CA"), "namespace": []byte("ns"), "token": []byte("signed")}, lack{true, true, true}},
		"a token":          {data{"namespace": []byte("custom"), "more": []byte("x")}, data{"namespace": []byte("custom"), "more": []byte("x"), "token": []byte("signed")}, lack{token: true}},
		"a bundle":         {data{"token": []byte("mine"), "ca.crt": []byte("old")}, data{"token": []byte("mine"), "ca.crt": []byte("CA")}, lack{ca: true}},
		"a namespace":      {data{"token": []byte("mine")}, data{"token": []byte("mine"), "namespace": []byte("ns")}, lack{namespace: true}},
		"only annotations": {data{"token": []byte("mine")}, data{"token": []byte("mine")}, lack{}},
	} {
		given := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s", Annotations: map[string]string{"kubernetes.io/service-account.name": "robot"}}, Data: c.data}
		before := given.DeepCopy()
		got := supply(given, account, c.lack, []byte("CA"), "signed")
		if diff := cmp.Diff(before, given); diff != "" {
			t.Errorf("%s: the given object was changed (-before +after)\n%s", name, diff)
		}
		if diff := cmp.Diff(c.want, got.Data); diff != "" {
			t.Errorf("%s: data (-want +got)\n%s", name, diff)
		}
		if diff := cmp.Diff(annotations, got.Annotations); diff != "" {
			t.Errorf("%s: annotations (-want +got)\n%s", name, diff)
		}
	}
}

// What was supplied lacks nothing more, so the own write leads to no other.
func FuzzSupplyOnce(f *testing.F) {
	f.Add("CA", "", "", "")
	f.Add("", "old", "custom", "mine")
	f.Fuzz(func(t *testing.T, ca, caData, namespace, token string) {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}, Data: data{"ca.crt": []byte(caData), "namespace": []byte(namespace), "token": []byte(token)}}
		l := lacks(s, []byte(ca))
		supplied := supply(s, &corev1.ServiceAccount{}, l, []byte(ca), "signed")
		if left := lacks(supplied, []byte(ca)); !left.none() {
			t.Errorf("still lacks %+v", left)
		}
		if token != "" && string(supplied.Data["token"]) != token || namespace != "" && string(supplied.Data["namespace"]) != namespace {
			t.Errorf("data was replaced: %q", supplied.Data)
		}
	})
}

func TestMeans(t *testing.T) {
	for _, c := range []struct {
		named, actual types.UID
		want          bool
	}{{"", "1", true}, {"1", "1", true}, {"2", "1", false}} {
		if got := means(c.named, c.actual); got != c.want {
			t.Errorf("%q for %q: %v", c.named, c.actual, got)
		}
	}
}

func TestWithout(t *testing.T) {
	listing := func(names ...string) *corev1.ServiceAccount {
		sa := &corev1.ServiceAccount{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "a"}}}
		for _, n := range names {
			sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: n})
		}
		return sa
	}
	for name, c := range map[string]struct{ account, want *corev1.ServiceAccount }{
		"not listed":     {listing("b", "c"), nil},
		"none listed":    {listing(), nil},
		"among others":   {listing("b", "a", "c"), listing("b", "c")},
		"more than once": {listing("a", "b", "a"), listing("b")},
		"alone":          {listing("a"), listing()},
	} {
		before := c.account.DeepCopy()
		got := without(c.account, "a")
		if diff := cmp.Diff(before, c.account); diff != "" {
			t.Errorf("%s: the given object was changed (-before +after)\n%s", name, diff)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}
