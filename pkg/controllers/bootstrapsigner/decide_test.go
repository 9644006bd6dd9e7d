// SPDX-License-Identifier: Apache-2.0

package bootstrapsigner

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// noon is the time of all tables.
var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// token is a Secret that may sign, changed by pairs of a key and its value; an
// empty value removes the key.
func token(id string, changes ...string) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "bootstrap-token-" + id},
		Type:       "bootstrap.kubernetes.io/token",
		Data: map[string][]byte{
			"token-id": []byte(id), "token-secret": []byte("secret-of-" + id), "usage-bootstrap-signing": []byte("true"),
		},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(s.Data, changes[i])
			continue
		}
		s.Data[changes[i]] = []byte(changes[i+1])
	}
	return s
}

// signature is what a joining machine computes: RFC 7515, appendix F.
func signature(content, id, secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode(fmt.Appendf(nil, `{"alg":"HS256","kid":"%s"}`, id))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s", header, encode([]byte(content)))
	return header + ".." + encode(mac.Sum(nil))
}

func TestSignatureIsTheKnownOne(t *testing.T) {
	got, err := sign(&corev1.ConfigMap{Data: map[string]string{"kubeconfig": "content"}}, []*corev1.Secret{token("abc123")}, noon)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Data["jws-kubeconfig-abc123"]
	if !strings.HasPrefix(s, "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiYzEyMyJ9..") {
		t.Errorf("got %q, want another header, or the content left out", s)
	}
	if want := signature("content", "abc123", "secret-of-abc123"); s != want {
		t.Errorf("got %q, want %q", s, want)
	}
}

func TestValid(t *testing.T) {
	named := func(name string) *corev1.Secret {
		s := token("abc123")
		s.Name = name
		return s
	}
	for name, c := range map[string]struct {
		secret *corev1.Secret
		want   bool
	}{
		"all there":                {token("abc123"), true},
		"name without prefix":      {named("abc123"), false},
		"name too long":            {named("bootstrap-token-abc1234"), false},
		"name too short":           {named("bootstrap-token-abc12"), false},
		"name with a capital":      {named("bootstrap-token-ABC123"), false},
		"id of another":            {token("abc123", "token-id", "def456"), false},
		"no id":                    {token("abc123", "token-id", ""), false},
		"no secret":                {token("abc123", "token-secret", ""), false},
		"no usage":                 {token("abc123", "usage-bootstrap-signing", ""), false},
		"usage false":              {token("abc123", "usage-bootstrap-signing", "false"), false},
		"usage True":               {token("abc123", "usage-bootstrap-signing", "True"), false},
		"usage yes":                {token("abc123", "usage-bootstrap-signing", "yes"), false},
		"for authentication only":  {token("abc123", "usage-bootstrap-signing", "", "usage-bootstrap-authentication", "true"), false},
		"expires later":            {token("abc123", "expiration", "2026-08-01T12:00:01Z"), true},
		"expires now":              {token("abc123", "expiration", "2026-08-01T12:00:00Z"), false},
		"expires now, in Tokyo":    {token("abc123", "expiration", "2026-08-01T21:00:00+09:00"), false},
		"expired":                  {token("abc123", "expiration", "2026-08-01T11:59:59Z"), false},
		"expiration is no time":    {token("abc123", "expiration", "soon"), false},
		"expiration without place": {token("abc123", "expiration", "2027-08-01T12:00:00"), false},
		"no data":                  {&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "bootstrap-token-abc123"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, ok := valid(c.secret, noon); ok != c.want {
				t.Errorf("got %v, want %v", ok, c.want)
			}
		})
	}
}

func TestSign(t *testing.T) {
	of := func(id string) string { return signature("content", id, "secret-of-"+id) }
	tokens := func(ids ...string) (all []*corev1.Secret) {
		for _, id := range ids {
			all = append(all, token(id))
		}
		return all
	}
	type data = map[string]string
	for name, c := range map[string]struct {
		have   data
		tokens []*corev1.Secret
		want   data // nil: no write
	}{
		"nothing to sign":   {have: data{"other": "x"}, tokens: tokens("abc123")},
		"no data":           {tokens: tokens("abc123")},
		"not even old ones": {have: data{"jws-kubeconfig-abc123": "old"}},
		"no token":          {have: data{"kubeconfig": "content"}},
		"an invalid token": {
			have: data{"kubeconfig": "content"}, tokens: []*corev1.Secret{token("abc123", "expiration", "soon")},
		},
		"signed already": {
			have: data{"kubeconfig": "content", "jws-kubeconfig-abc123": of("abc123")}, tokens: tokens("abc123"),
		},
		"new token": {
			have: data{"kubeconfig": "content", "other": "x"}, tokens: tokens("abc123"),
			want: data{"kubeconfig": "content", "other": "x", "jws-kubeconfig-abc123": of("abc123")},
		},
		"wrong signature": {
			have: data{"kubeconfig": "content", "jws-kubeconfig-abc123": "wrong"}, tokens: tokens("abc123"),
			want: data{"kubeconfig": "content", "jws-kubeconfig-abc123": of("abc123")},
		},
		"token gone": {
			have: data{"kubeconfig": "content", "jws-kubeconfig-abc123": of("abc123")},
			want: data{"kubeconfig": "content"},
		},
		"one gone, one new": {
			have: data{"kubeconfig": "content", "jws-kubeconfig-abc123": of("abc123")}, tokens: tokens("def456"),
			want: data{"kubeconfig": "content", "jws-kubeconfig-def456": of("def456")},
		},
		"content changed": {
			have: data{
				"kubeconfig":            "content",
				"jws-kubeconfig-abc123": signature("old", "abc123", "secret-of-abc123"),
				"jws-kubeconfig-def456": signature("old", "def456", "secret-of-def456"),
			},
			tokens: tokens("def456", "abc123"),
			want:   data{"kubeconfig": "content", "jws-kubeconfig-abc123": of("abc123"), "jws-kubeconfig-def456": of("def456")},
		},
		"a key of no prefix": {have: data{"kubeconfig": "content", "jws-kubeconfig": "x", "my-jws-kubeconfig-abc123": "y"}},
		"empty content": {
			have: data{"kubeconfig": ""}, tokens: tokens("abc123"),
			want: data{"kubeconfig": "", "jws-kubeconfig-abc123": signature("", "abc123", "secret-of-abc123")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cluster-info", ResourceVersion: "7"}, Data: c.have}
			before := cm.DeepCopy()
			got, err := sign(cm, c.tokens, noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, cm); diff != "" {
				t.Errorf("the cached object was changed:\n%s", diff)
			}
			if c.want == nil {
				if got != nil {
					t.Errorf("got %v, want no write", got.Data)
				}
				return
			}
			want := before
			want.Data = c.want
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// What was signed once is not signed again, and nothing else was touched.
func FuzzSign(f *testing.F) {
	f.Add("content", "abc123", "secret", "2026-08-01T12:00:01Z", "stale")
	f.Add("", "ABC", "", "", "")
	f.Add("\xff", "zzzzzz", "\x00", "soon", "jws-kubeconfig-")
	f.Fuzz(func(t *testing.T, content, id, secret, expiration, stale string) {
		tokens := []*corev1.Secret{token(id, "token-secret", secret, "expiration", expiration)}
		cm := &corev1.ConfigMap{Data: map[string]string{"kubeconfig": content, "jws-kubeconfig-" + stale: "old", "other": "x"}}
		once, err := sign(cm, tokens, noon)
		if err != nil {
			t.Fatal(err)
		}
		if once == nil {
			t.Fatal("the stale signature stays")
		}
		if once.Data["kubeconfig"] != content || once.Data["other"] != "x" {
			t.Errorf("lost data: %v", once.Data)
		}
		if twice, err := sign(once, tokens, noon); err != nil || twice != nil {
			t.Errorf("signed again: %v, %v", twice, err)
		}
	})
}
