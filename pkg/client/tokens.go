// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/oauth2"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/transport"
)

const (
	// tokenLifetime is what TokenRequest is asked for.
	tokenLifetime = time.Hour
	// minLifetime is assumed of a token that seems to end sooner, which is
	// rather a clock that differs.
	minLifetime = 10 * time.Minute
	// tokenTimeout bounds one attempt to get a token.
	tokenTimeout = 10 * time.Second
)

// tokens is the source of one service account's tokens, shared by all sessions
// of that account. A token is renewed when a fifth of its life is left, and
// dropped when the API server refuses it.
type tokens struct {
	core    kubernetes.Interface
	account string
	wrap    transport.WrapperFunc
}

func newTokens(core kubernetes.Interface, account string) *tokens {
	t := &tokens{core: core, account: account}
	t.wrap = transport.ResettableTokenSourceWrapTransport(transport.NewCachedTokenSource(t))
	return t
}

// Token asks for a new token, up to four times. The service account is created
// when it is missing, as upstream does.
func (t *tokens) Token() (*oauth2.Token, error) {
	var token *oauth2.Token
	var last error
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Steps: 4}
	err := wait.ExponentialBackoff(backoff, func() (bool, error) {
		token, last = t.request()
		return last == nil, nil
	})
	if err != nil {
		return nil, fmt.Errorf("failed to get token for %s/%s: %w", Namespace, t.account, last)
	}
	return token, nil
}

func (t *tokens) request() (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	seconds := int64(tokenLifetime / time.Second)
	ask := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	accounts := t.core.CoreV1().ServiceAccounts(Namespace)
	answer, err := accounts.CreateToken(ctx, t.account, ask, metav1.CreateOptions{})
	if apierrors.IsNotFound(err) {
		if err := t.createAccount(ctx); err != nil {
			return nil, err
		}
		answer, err = accounts.CreateToken(ctx, t.account, ask, metav1.CreateOptions{})
	}
	if err != nil {
		return nil, err
	}
	lifetime := max(time.Until(answer.Status.ExpirationTimestamp.Time), minLifetime)
	return &oauth2.Token{
		AccessToken: answer.Status.Token,
		TokenType:   "Bearer",
		Expiry:      time.Now().Add(lifetime * 4 / 5),
	}, nil
}

func (t *tokens) createAccount(ctx context.Context) error {
	_, err := t.core.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		// The manager may lack the right to do this; then the next call says so.
		_, _ = t.core.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}, metav1.CreateOptions{})
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: t.account}}
	_, err = t.core.CoreV1().ServiceAccounts(Namespace).Create(ctx, account, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
