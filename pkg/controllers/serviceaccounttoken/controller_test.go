// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

func TestTokenSecretIsFilled(t *testing.T) {
	f := start(t)
	account := f.account("robot")
	f.create("robot-token", "robot", nil)
	s := f.filled("robot-token")
	if !bytes.Equal(s.Data["ca.crt"], f.Kit.Clients.CAData()) || string(s.Data["namespace"]) != f.namespace {
		t.Errorf("data %q", s.Data)
	}
	want := map[string]string{"kubernetes.io/service-account.name": "robot", "kubernetes.io/service-account.uid": string(account.UID)}
	if diff := cmp.Diff(want, s.Annotations); diff != "" {
		t.Errorf("annotations (-want +got)\n%s", diff)
	}

	// The token is the account's.
	cfg := rest.AnonymousClientConfig(f.AdminConfig)
	cfg.BearerToken = string(s.Data["token"])
	user := kubernetes.NewForConfigOrDie(cfg)
	f.Eventually(func() error {
		review, err := user.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if got, want := review.Status.UserInfo.Username, "system:serviceaccount:"+f.namespace+":robot"; got != want {
			return fmt.Errorf("user %s, want %s", got, want)
		}
		return nil
	})

	// The own write led to no other, and the account was left alone: it lists no
	// Secret, nor was one made for it.
	f.settle()
	if n := f.count("PUT secrets/robot-token"); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
	if got := f.listed("robot"); got != nil {
		t.Errorf("the account lists %v", got)
	}
	list, err := f.secrets.List(t.Context(), metav1.ListOptions{})
	f.Must(err)
	if len(list.Items) != 1 {
		t.Errorf("%d Secrets, want the one that the test made", len(list.Items))
	}
	for agent := range f.agents {
		if !strings.HasSuffix(agent, "/tokens-controller") {
			t.Errorf("user agent %s", agent)
		}
	}
}

func TestOnlyWhatIsMissingIsWritten(t *testing.T) {
	f := start(t)
	f.account("robot")
	ca := f.Kit.Clients.CAData()
	whole := map[string][]byte{"ca.crt": ca, "namespace": []byte("custom"), "token": []byte("mine"), "more": []byte("x")}
	without := func(key, value string) map[string][]byte {
		d := maps.Clone(whole)
		delete(d, key)
		if value != "" {
			d[key] = []byte(value)
		}
		return d
	}
	for name, data := range map[string]map[string][]byte{
		"token": without("token", ""), "bundle": without("ca.crt", ""), "mismatch": without("ca.crt", "old"), "namespace": without("namespace", ""),
	} {
		f.create(name, "robot", data)
		got := f.filled(name)
		want := maps.Clone(whole)
		switch name {
		case "token":
			want["token"] = got.Data["token"]
		case "namespace":
			want["namespace"] = []byte(f.namespace)
		}
		if diff := cmp.Diff(want, got.Data); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	// The UID annotation alone is no reason to write.
	f.create("complete", "robot", whole)
	f.settle()
	if n := f.count("PUT secrets/complete") + f.count("GET secrets/complete"); n != 0 {
		t.Errorf("%d requests about a Secret that lacks nothing", n)
	}
}

func TestSecretWithoutAccountIsDeleted(t *testing.T) {
	f := start(t)
	f.create("orphan", "nobody", nil)
	f.deleted("orphan")
	want := []string{"GET serviceaccounts/nobody", "DELETE secrets/orphan"}
	if diff := cmp.Diff(want, f.requests("GET serviceaccounts/nobody", "DELETE secrets/orphan", "PUT secrets/orphan")); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}

	// The API server knows of an account that the cache does not know yet.
	f.before("GET serviceaccounts/late", func() { f.account("late") })
	f.create("late-token", "late", nil)
	f.filled("late-token")
	if n := f.count("DELETE secrets/late-token"); n != 0 {
		t.Error("a Secret was deleted on the cache's word")
	}

	// The UID tells accounts of one name apart.
	f.account("robot")
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "former", Annotations: map[string]string{
		"kubernetes.io/service-account.name": "robot", "kubernetes.io/service-account.uid": "former",
	}}, Type: corev1.SecretTypeServiceAccountToken}
	_, err := f.secrets.Create(t.Context(), s, metav1.CreateOptions{})
	f.Must(err)
	f.deleted("former")
}

func TestSecretsOfADeletedAccount(t *testing.T) {
	f := start(t)
	former := f.account("robot")
	f.account("other")
	_, err := f.secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "opaque", Annotations: map[string]string{
		"kubernetes.io/service-account.name": "robot",
	}}}, metav1.CreateOptions{})
	f.Must(err)
	f.create("robot-1", "robot", nil)
	f.create("robot-2", "robot", nil)
	f.create("other-1", "other", nil)
	f.filled("robot-1")
	f.filled("robot-2")
	f.filled("other-1")

	f.Must(f.accounts.Delete(t.Context(), "robot", metav1.DeleteOptions{}))
	f.deleted("robot-1")
	f.deleted("robot-2")
	f.kept("opaque", "other-1")

	// An account of the same name is another one, with Secrets of its own, and the
	// former one's end concerns none of them.
	f.account("robot")
	f.create("robot-3", "robot", nil)
	f.filled("robot-3")
	f.settle()
	f.Must(f.tokens.syncAccount(t.Context(), keyOfAccount(former)))
	f.kept("robot-3", "opaque", "other-1")
	if n := f.count("DELETE secrets/robot-3"); n != 0 {
		t.Errorf("%d attempts to delete a Secret of another account", n)
	}
}

func TestDeletionsThatCollide(t *testing.T) {
	f := start(t)
	// Somebody else was quicker.
	f.before("DELETE secrets/orphan", func() { f.Must(f.secrets.Delete(t.Context(), "orphan", metav1.DeleteOptions{})) })
	f.create("orphan", "nobody", nil)
	f.deleted("orphan")
	// Somebody else made a Secret of the same name that is in order.
	f.account("robot")
	f.before("DELETE secrets/again", func() {
		f.Must(f.secrets.Delete(t.Context(), "again", metav1.DeleteOptions{}))
		f.create("again", "robot", nil)
	})
	f.create("again", "nobody", nil)
	f.filled("again")
	f.settle()
	f.kept("again")
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount_tokens_service"}); n != 0 {
		t.Errorf("%v retries, want none", n)
	}
}

func TestReferencesToDeletedSecrets(t *testing.T) {
	f := start(t)
	f.account("robot", "first", "second", "elsewhere")
	f.account("unlisted")
	for _, name := range []string{"first", "second", "third"} {
		f.create(name, "robot", nil)
		f.filled(name)
	}
	f.create("fourth", "unlisted", nil)
	f.filled("fourth")

	f.remove("first")
	f.Eventually(func() error {
		if got := f.listed("robot"); !slices.Equal(got, []string{"second", "elsewhere"}) {
			return fmt.Errorf("the account lists %v", got)
		}
		return nil
	})
	// Without a reference there is nothing to write.
	f.remove("third")
	f.remove("fourth")
	f.settle()
	if got := f.requests("PUT serviceaccounts/robot", "PUT serviceaccounts/unlisted"); len(got) != 1 {
		t.Errorf("writes %v, want 1", got)
	}
	// A conflict is tried again.
	f.before("PUT serviceaccounts/robot", func() {
		sa, err := f.accounts.Get(t.Context(), "robot", metav1.GetOptions{})
		f.Must(err)
		sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: "added"})
		_, err = f.accounts.Update(t.Context(), sa, metav1.UpdateOptions{})
		f.Must(err)
	})
	f.remove("second")
	f.Eventually(func() error {
		if got := f.listed("robot"); !slices.Equal(got, []string{"elsewhere", "added"}) {
			return fmt.Errorf("the account lists %v", got)
		}
		return nil
	})
	if n := f.count("PUT serviceaccounts/robot"); n != 3 {
		t.Errorf("%d writes, want 1 before and 2 with a conflict", n)
	}
	// An account that goes at the same time is none to write to.
	f.before("GET serviceaccounts/unlisted", func() { f.Must(f.accounts.Delete(t.Context(), "unlisted", metav1.DeleteOptions{})) })
	f.create("fifth", "unlisted", nil)
	f.filled("fifth")
	f.remove("fifth")
	f.settle()
	if n := f.count("PUT serviceaccounts/unlisted"); n != 0 {
		t.Errorf("%d writes to an account without a reference", n)
	}
}

func TestTheCacheIsNotTrusted(t *testing.T) {
	f := start(t)
	f.account("robot")
	f.before("GET secrets/changed", func() { f.patch("changed", `{"metadata":{"labels":{"changed":"yes"}}}`) })
	f.create("changed", "robot", nil)
	f.filled("changed")
	if diff := cmp.Diff([]string{"GET secrets/changed", "GET secrets/changed", "PUT secrets/changed"},
		f.requests("GET secrets/changed", "PUT secrets/changed")); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}

	// Changes after that read: a conflict, which the next event makes good.
	f.before("PUT secrets/conflict", func() { f.patch("conflict", `{"metadata":{"labels":{"changed":"yes"}}}`) })
	f.create("conflict", "robot", nil)
	if s := f.filled("conflict"); s.Labels["changed"] != "yes" {
		t.Error("the other's change was lost")
	}
	f.before("GET secrets/gone", func() { f.Must(f.secrets.Delete(t.Context(), "gone", metav1.DeleteOptions{})) })
	f.create("gone", "robot", nil)
	f.before("PUT secrets/going", func() { f.Must(f.secrets.Delete(t.Context(), "going", metav1.DeleteOptions{})) })
	f.create("going", "robot", nil)
	f.settle()
	for _, name := range []string{"gone", "going"} {
		if _, err := f.secrets.Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount_tokens_service"}); n != 0 {
		t.Errorf("%v retries, want none", n)
	}
}

func TestRestart(t *testing.T) {
	f := prepare(t)
	f.workers = 5
	f.start()
	f.account("robot")
	f.create("kept", "robot", nil)
	f.account("former")
	for i := range 5 {
		f.create(fmt.Sprint("former-", i), "former", nil)
	}
	before := f.filled("kept")
	for i := range 5 {
		f.filled(fmt.Sprint("former-", i))
	}
	f.run.Stop()
	if _, found := f.Metric("workqueue_depth", map[string]string{"name": "serviceaccount_tokens_service"}); found {
		t.Error("a stopped controller still has metrics")
	}
	f.Must(f.accounts.Delete(t.Context(), "former", metav1.DeleteOptions{}))
	f.create("new", "robot", nil)
	f.start()
	f.filled("new")
	for i := range 5 {
		f.deleted(fmt.Sprint("former-", i))
	}
	if after := f.filled("kept"); after.ResourceVersion != before.ResourceVersion {
		t.Error("a Secret that lacks nothing was written")
	}
}

func TestWithoutKey(t *testing.T) {
	f := prepare(t)
	build := func(keyFile, caFile string) error {
		c := v1beta1.Controllers{}
		c.ServiceAccountToken.PrivateKeyFile, c.ServiceAccountToken.RootCAFile = keyFile, caFile
		_, err := controller.Build(Descriptor(), f.Kit, &c, client.NewLedger())
		return err
	}
	if reason, declined := controller.Declined(build("", "")); !declined || !strings.Contains(reason, "there is no private key") {
		t.Errorf("without a key: %v, %q", declined, reason)
	}
	broken := f.file("broken", []byte("hello"))
	for want, err := range map[string]error{
		"error reading key for service account token controller: ": build(broken, ""),
		"error parsing root-ca-file at " + broken + ": ":           build(f.keyFile, broken),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s...", err, want)
		}
	}
}
