// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// syncAccount deletes the token Secrets of an account that is gone. One that was
// made anew under the same name is another account, and keeps its own.
func (c *tokens) syncAccount(ctx context.Context, key accountKey) error {
	if sa, found := c.accounts.Get(key.namespace, key.name); found && sa.UID == key.uid {
		return nil
	}
	var failed []error
	for _, s := range c.secrets.OfAccount(key.namespace, key.name) {
		if means(keyOfSecret(s).accountUID, key.uid) {
			failed = append(failed, c.delete(ctx, s))
		}
	}
	return errors.Join(failed...)
}

// syncSecret brings one token Secret in order, or what a Secret that is gone left
// behind.
func (c *tokens) syncSecret(ctx context.Context, key secretKey) error {
	secret, found := c.secrets.Get(key.namespace, key.name)
	if !found || secret.UID != key.uid {
		c.forget(ctx, key)
		return nil
	}
	now := keyOfSecret(secret)
	if now.account == "" {
		return nil
	}
	account, err := c.account(ctx, now)
	switch {
	case err != nil:
		return err
	case account == nil:
		return c.delete(ctx, secret)
	}
	return c.fill(ctx, secret, account)
}

// account is the one that a Secret means, or nil. Only the API server's word counts
// for its absence, since that costs the Secret.
func (c *tokens) account(ctx context.Context, key secretKey) (*corev1.ServiceAccount, error) {
	if sa, found := c.accounts.Get(key.namespace, key.account); found && means(key.accountUID, sa.UID) {
		return sa, nil
	}
	sa, err := c.client.CoreV1().ServiceAccounts(key.namespace).Get(ctx, key.account, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || !means(key.accountUID, sa.UID) {
		return nil, err
	}
	return sa, nil
}

// delete deletes this very Secret, not a later one of its name.
func (c *tokens) delete(ctx context.Context, s *corev1.Secret) error {
	err := c.client.CoreV1().Secrets(s.Namespace).Delete(ctx, s.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &s.UID}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// fill writes what a Secret lacks. The cache has no tokens and may be behind, so
// the Secret is read anew; one that was changed meanwhile will be told of.
func (c *tokens) fill(ctx context.Context, cached *corev1.Secret, account *corev1.ServiceAccount) error {
	ca := c.bundle.PEM()
	if lacks(cached, ca).none() {
		return nil
	}
	secrets := c.client.CoreV1().Secrets(cached.Namespace)
	live, err := secrets.Get(ctx, cached.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if live.ResourceVersion != cached.ResourceVersion {
		return nil
	}
	l := lacks(live, ca)
	if l.none() {
		return nil
	}
	token := ""
	if l.token {
		if token, err = c.key.Current().sign(account, live.Name); err != nil {
			c.logger.Error(err, "Signing a token failed", "secret", klog.KObj(live))
			return nil // and would fail again
		}
	}
	_, err = secrets.Update(ctx, supply(live, account, l, ca, token), metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
