// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

var pods = schema.GroupResource{Resource: "pods"}

func TestResourceOf(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/namespaces/ns/pods":                                "pods",
		"/api/v1/namespaces/ns/pods/p/status":                       "pods",
		"/api/v1/namespaces/ns":                                     "namespaces",
		"/api/v1/namespaces":                                        "namespaces",
		"/api/v1/namespaces/ns/status":                              "namespaces",
		"/api/v1/namespaces/ns/finalize":                            "namespaces",
		"/api/v1/nodes/n":                                           "nodes",
		"/apis/apps/v1/namespaces/ns/replicasets/rs/scale":          "replicasets.apps",
		"/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices":    "endpointslices.discovery.k8s.io",
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/c": "customresourcedefinitions.apiextensions.k8s.io",
	} {
		if got, ok := resourceOf(path); !ok || got.String() != want {
			t.Errorf("%s: %s, %v; want %s", path, got, ok, want)
		}
	}
	for _, path := range []string{"/healthz", "/api", "/apis/apps", "/"} {
		if got, ok := resourceOf(path); ok {
			t.Errorf("%s is no resource, got %s", path, got)
		}
	}
}

func encode(t *testing.T, obj runtime.Object, proto bool) (string, []byte) {
	t.Helper()
	var b bytes.Buffer
	if proto {
		s := scheme.Codecs.EncoderForVersion(protobuf.NewSerializer(scheme.Scheme, scheme.Scheme), schema.GroupVersions{corev1.SchemeGroupVersion, metav1.SchemeGroupVersion})
		if err := s.Encode(obj, &b); err != nil {
			t.Fatal(err)
		}
		return "application/vnd.kubernetes.protobuf", b.Bytes()
	}
	if err := scheme.Codecs.LegacyCodec(corev1.SchemeGroupVersion).Encode(obj, &b); err != nil {
		t.Fatal(err)
	}
	return "application/json", b.Bytes()
}

func TestVersionOf(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u", ResourceVersion: "123", Labels: map[string]string{"a": "b"}}}
	for _, proto := range []bool{true, false} {
		if got := versionOf(encode(t, pod, proto)); got != "123" {
			t.Errorf("proto %v: version %q, want 123", proto, got)
		}
	}
	if got := versionOf("application/vnd.kubernetes.protobuf", []byte("k8s\x00\xff\xff garbage")); got != "" {
		t.Errorf("garbage has version %q", got)
	}
}

type answer struct {
	code int
	body []byte
	kind string
	err  error
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.code, Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(bytes.NewReader(a.body))}, nil
}

func TestLedgerRemembersTheNewestWrite(t *testing.T) {
	l := NewLedger()
	send := func(method string, a answer) {
		t.Helper()
		req, err := http.NewRequest(method, "https://server/api/v1/namespaces/ns/pods/p", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := recorder{next: a, ledger: l}.RoundTrip(req)
		if (err != nil) != (a.err != nil) {
			t.Fatal(err)
		}
		if err == nil {
			if got, _ := io.ReadAll(resp.Body); !bytes.Equal(got, a.body) {
				t.Error("the answer's body was changed")
			}
			for range 2 { // the second time does no harm
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			if got, _ := io.ReadAll(resp.Body); method != http.MethodGet && a.code/100 == 2 && len(got) > 0 {
				t.Error("a closed body can be read, when others may use its memory")
			}
		}
	}
	at := func(version string) answer {
		kind, body := encode(t, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}}, true)
		return answer{code: 200, body: body, kind: kind}
	}
	send(http.MethodGet, at("999"))
	if got := l.Written(pods); got != "" {
		t.Errorf("a read was noted: %s", got)
	}
	send(http.MethodPost, at("9"))
	send(http.MethodDelete, at("100"))
	send(http.MethodPatch, at("20"))
	if got := l.Written(pods); got != "100" {
		t.Errorf("newest %s, want 100", got)
	}
	send(http.MethodPut, answer{code: 409, body: []byte("{}"), kind: "application/json"})
	if l.Unknown(pods) {
		t.Error("a conflict is a known outcome")
	}
	send(http.MethodPut, answer{err: errors.New("connection lost")})
	if !l.Unknown(pods) {
		t.Error("a write without an answer may have happened")
	}
	l.Settle(pods, "101")
	if l.Unknown(pods) || l.Written(pods) != "101" {
		t.Errorf("after settling: unknown %v, written %s", l.Unknown(pods), l.Written(pods))
	}
}

func FuzzVersionOf(f *testing.F) {
	f.Add([]byte("k8s\x00\x12\x04\x0a\x02\x32\x00"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		versionOf("application/vnd.kubernetes.protobuf", body) // must not panic
	})
}
