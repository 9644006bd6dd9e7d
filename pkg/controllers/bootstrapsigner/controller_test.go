// SPDX-License-Identifier: Apache-2.0

package bootstrapsigner

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// fixture is a cluster without tokens and cluster-info.
type fixture struct {
	*harness.Harness

	t   *testing.T
	run *harness.Run
}

func start(t *testing.T) *fixture {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	clean := metav1.ListOptions{FieldSelector: "type=bootstrap.kubernetes.io/token"}
	for _, ns := range []string{"kube-system", "default"} {
		f.Must(f.Admin.CoreV1().Secrets(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{}, clean))
	}
	if err := f.Admin.CoreV1().ConfigMaps("kube-public").Delete(t.Context(), "cluster-info", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		f.Must(err)
	}
	f.run = f.Start(Descriptor(), nil)
	return f
}

func (f *fixture) token(namespace string, s *corev1.Secret) {
	f.t.Helper()
	s.Namespace = namespace
	_, err := f.Admin.CoreV1().Secrets(namespace).Create(f.t.Context(), s, metav1.CreateOptions{})
	f.Must(err)
}

func (f *fixture) info(data map[string]string) {
	f.t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cluster-info"}, Data: data}
	_, err := f.Admin.CoreV1().ConfigMaps("kube-public").Create(f.t.Context(), cm, metav1.CreateOptions{})
	f.Must(err)
}

func (f *fixture) patch(body string) {
	f.t.Helper()
	_, err := f.Admin.CoreV1().ConfigMaps("kube-public").Patch(f.t.Context(), "cluster-info", types.MergePatchType, []byte(body), metav1.PatchOptions{})
	f.Must(err)
}

// becomes waits for the content of cluster-info.
func (f *fixture) becomes(want map[string]string) {
	f.t.Helper()
	f.Eventually(func() error {
		cm, err := f.Admin.CoreV1().ConfigMaps("kube-public").Get(f.t.Context(), "cluster-info", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, cm.Data); diff != "" {
			return fmt.Errorf("-want +got\n%s", diff)
		}
		return nil
	})
}

// writes is how many the controller has made. One that was refused, because the
// cache was a moment behind, is none.
func (f *fixture) writes() (n float64) {
	for _, verb := range []string{"post", "put", "patch", "delete"} {
		more, _ := f.Metric("kube_controller_manager_api_requests_total",
			map[string]string{"controller": "bootstrap-signer-controller", "verb": verb, "code": "2xx"})
		n += more
	}
	return n
}

// syncs is how many have ended.
func (f *fixture) syncs() float64 {
	n, _ := f.Metric("workqueue_work_duration_seconds", map[string]string{"name": "bootstrap_signer_queue"})
	return n
}

// settled waits until the controller has seen all tokens there are, and has no
// work.
func (f *fixture) settled(content string, others ...string) {
	f.t.Helper()
	f.token("kube-system", token("last00"))
	want := map[string]string{"kubeconfig": content, "jws-kubeconfig-last00": signature(content, "last00", "secret-of-last00")}
	for _, id := range others {
		want["jws-kubeconfig-"+id] = signature(content, id, "secret-of-"+id)
	}
	f.becomes(want)
}

func TestSigning(t *testing.T) {
	f := start(t)
	f.token("kube-system", token("aaaaaa"))
	f.info(map[string]string{"kubeconfig": "one", "note": "kept"})
	want := map[string]string{"kubeconfig": "one", "note": "kept", "jws-kubeconfig-aaaaaa": signature("one", "aaaaaa", "secret-of-aaaaaa")}
	f.becomes(want)

	f.token("kube-system", token("bbbbbb"))
	want["jws-kubeconfig-bbbbbb"] = signature("one", "bbbbbb", "secret-of-bbbbbb")
	f.becomes(want)

	for what, body := range map[string]string{
		"removed by a user":   `{"data":{"jws-kubeconfig-aaaaaa":null}}`,
		"wrong":               `{"data":{"jws-kubeconfig-aaaaaa":"eyJhbGciOiJIUzI1NiIsImtpZCI6ImFhYWFhYSJ9..AAAA"}}`,
		"of a token unknown":  `{"data":{"jws-kubeconfig-zzzzzz":"x"}}`,
		"all removed at once": `{"data":{"jws-kubeconfig-aaaaaa":null,"jws-kubeconfig-bbbbbb":null}}`,
	} {
		t.Run("a signature "+what+" does not stay so", func(t *testing.T) {
			f.patch(body)
			f.becomes(want)
		})
	}

	f.patch(`{"data":{"kubeconfig":"two"}}`)
	want["kubeconfig"] = "two"
	for _, id := range []string{"aaaaaa", "bbbbbb"} {
		want["jws-kubeconfig-"+id] = signature("two", id, "secret-of-"+id)
	}
	f.becomes(want)

	f.Must(f.Admin.CoreV1().Secrets("kube-system").Delete(t.Context(), "bootstrap-token-aaaaaa", metav1.DeleteOptions{}))
	delete(want, "jws-kubeconfig-aaaaaa")
	f.becomes(want)

	_, err := f.Admin.CoreV1().Secrets("kube-system").Patch(t.Context(), "bootstrap-token-bbbbbb", types.MergePatchType,
		[]byte(`{"stringData":{"usage-bootstrap-signing":"false"}}`), metav1.PatchOptions{})
	f.Must(err)
	delete(want, "jws-kubeconfig-bbbbbb")
	f.becomes(want)
}

func TestOnlyValidTokensSign(t *testing.T) {
	f := start(t)
	named := token("namexx")
	named.Name = "my-token"
	otherType := token("typexx")
	otherType.Type = "Opaque"
	otherPlace := token("placex")
	f.info(map[string]string{"kubeconfig": "one"})
	f.token("kube-system", named)
	f.token("kube-system", otherType)
	f.token("default", otherPlace)
	f.token("kube-system", token("idxxxx", "token-id", "nobody"))
	f.token("kube-system", token("secret", "token-secret", ""))
	f.token("kube-system", token("usagex", "usage-bootstrap-signing", "no"))
	f.token("kube-system", token("oldxxx", "expiration", "2020-01-01T00:00:00Z"))
	f.token("kube-system", token("garbag", "expiration", "soon"))
	f.token("kube-system", token("future", "expiration", "2120-01-01T00:00:00Z"))
	f.settled("one", "future")
}

func TestNothingToSign(t *testing.T) {
	f := start(t)
	f.token("kube-system", token("aaaaaa"))
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Data: map[string]string{"kubeconfig": "one"}}
	for _, ns := range []string{"kube-public", "default"} { // neither is the one
		_, err := f.Admin.CoreV1().ConfigMaps(ns).Create(t.Context(), cm, metav1.CreateOptions{})
		f.Must(err)
		cm.Name = "cluster-info"
	}
	f.info(map[string]string{"note": "x", "jws-kubeconfig-aaaaaa": "old"})
	f.patch(`{"data":{"note":"y"}}`)
	f.becomes(map[string]string{"note": "y", "jws-kubeconfig-aaaaaa": "old"})
	if n := f.writes(); n != 0 {
		t.Errorf("%v writes, want none", n)
	}
	f.patch(`{"data":{"kubeconfig":"one","note":null}}`)
	f.settled("one", "aaaaaa")

	// A sync that changes nothing sends nothing.
	syncs, writes := f.syncs(), f.writes()
	_, err := f.Admin.CoreV1().Secrets("kube-system").Patch(t.Context(), "bootstrap-token-aaaaaa", types.MergePatchType,
		[]byte(`{"stringData":{"description":"of no matter"}}`), metav1.PatchOptions{})
	f.Must(err)
	testkit.Eventually(t, harness.Timeout, func() error {
		if f.syncs() == syncs {
			return fmt.Errorf("no sync")
		}
		return nil
	})
	if n := f.writes(); n != writes {
		t.Errorf("%v writes, want none", n-writes)
	}
}

func TestAConflictIsNoFailure(t *testing.T) {
	f := start(t)
	f.token("kube-system", token("aaaaaa"))
	f.info(map[string]string{"kubeconfig": "0"})
	for i := range 20 { // others write while the controller does
		f.patch(fmt.Sprintf(`{"data":{"kubeconfig":"%d"}}`, i))
	}
	f.settled("19", "aaaaaa")
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "bootstrap_signer_queue"}); n != 0 {
		t.Errorf("%v retries, want none", n)
	}
}

func TestWhatHappenedWhileStopped(t *testing.T) {
	f := start(t)
	f.token("kube-system", token("aaaaaa"))
	f.info(map[string]string{"kubeconfig": "one"})
	f.settled("one", "aaaaaa")
	f.run.Stop()
	f.Must(f.Admin.CoreV1().Secrets("kube-system").Delete(t.Context(), "bootstrap-token-aaaaaa", metav1.DeleteOptions{}))
	f.Must(f.Admin.CoreV1().Secrets("kube-system").Delete(t.Context(), "bootstrap-token-last00", metav1.DeleteOptions{}))
	f.patch(`{"data":{"kubeconfig":"two"}}`)
	f.token("kube-system", token("bbbbbb"))
	f.run = f.Start(Descriptor(), nil)
	f.settled("two", "bbbbbb")
}
