// SPDX-License-Identifier: Apache-2.0

// Package serviceaccounttoken fills Secrets of the type
// kubernetes.io/service-account-token with a token that does not expire, the CA
// bundle and the namespace; it deletes those whose ServiceAccount is gone, and takes
// the names of Secrets that are gone out of ServiceAccounts. It creates no Secret:
// whoever wants such a token does.
//
// # A new key or bundle
//
// Both files are followed while the controller runs; one that cannot be used changes
// nothing and shows in the controller's health.
//
// A new bundle is written into all token Secrets.
//
// A new private key signs the tokens that are missing from then on. Tokens that
// were issued before are not touched: they are valid for as long as the API server
// is given the former public key, and are refused from the moment it is not. So a
// key is replaced in three steps: give all API servers the new public key beside the
// old one; replace the private key here; and before the API servers lose the old
// public key, have each old token signed anew, by removing the key "token" from the
// data of its Secret.
package serviceaccounttoken

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/rootca"
	"github.com/kube-live/kube-controller-manager/pkg/material"
)

const (
	// queueName is, as upstream, that of both queues.
	queueName = "serviceaccount_tokens_service"
	// maxRetries is how often a key may fail until its next event.
	maxRetries = 10
)

// Descriptor of the controller. It acts as the manager: what makes credentials
// must not need any of them.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:  "serviceaccount-token-controller",
		Alias: "serviceaccount-token",
		Root:  "tokens-controller",
	}, New)
}

type tokens struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.WithTicker
	logger   klog.Logger
	key      *material.Files[*signer]
	bundle   *rootca.Bundle
	gone     *controller.Queue[accountKey]
	queue    *controller.Queue[secretKey]
	accounts *informer.Cache[*corev1.ServiceAccount]
	secrets  *informer.Cache[*corev1.Secret]
}

// New reads the key and the bundle, which must be good now, and wires a run of the
// controller.
func New(env controller.Env, section *v1beta1.ServiceAccountTokenController) (controller.Controller, error) {
	if section.PrivateKeyFile == "" {
		return nil, controller.Decline("privateKeyFile is empty: there is no private key")
	}
	c := &tokens{Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, logger: env.Logger}
	var err error
	if c.key, err = material.Open([]string{section.PrivateKeyFile}, parseKey, env.Clock, env.Logger); err != nil {
		return nil, unusable(err)
	}
	if c.bundle, err = rootca.Open(section.RootCAFile, env.ClusterCA, env.Clock, env.Logger); err != nil {
		return nil, err
	}
	c.Go(func(ctx context.Context) { c.key.Run(ctx, c.lookAgain) })
	c.Go(func(ctx context.Context) { c.bundle.Run(ctx, c.lookAgain) })
	c.gone = controller.NewQueue(c.Loop, controller.QueueOptions[accountKey]{Name: queueName, Sync: c.syncAccount, MaxRetries: maxRetries})
	c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[secretKey]{Name: queueName, Sync: c.syncSecret, MaxRetries: maxRetries})
	c.watch()
	return c, nil
}

func (c *tokens) watch() {
	changed := func(sa *corev1.ServiceAccount) { c.gone.Add(keyOfAccount(sa)) }
	c.accounts = controller.Watch(c.Loop, informer.ServiceAccounts(), controller.Handler[*corev1.ServiceAccount]{
		Add:    changed,
		Update: func(_, sa *corev1.ServiceAccount) { changed(sa) },
		Delete: changed,
	})
	c.secrets = controller.Watch(c.Loop, informer.TokenSecrets(), controller.Handler[*corev1.Secret]{
		Add:    c.enqueue,
		Update: func(_, s *corev1.Secret) { c.enqueue(s) },
		Delete: c.enqueue,
	})
}

func (c *tokens) enqueue(s *corev1.Secret) {
	key := keyOfSecret(s)
	if key.account == "" {
		// The API server lets none be made.
		c.logger.Info("A token Secret names no ServiceAccount, it is left alone", "secret", klog.KObj(s))
		return
	}
	c.queue.Add(key)
}

// lookAgain has every token Secret compared with a new key or bundle.
func (c *tokens) lookAgain() {
	for _, s := range c.secrets.List() {
		c.enqueue(s)
	}
}

// Health is part of controller.Healthy.
func (c *tokens) Health() error {
	err := c.key.Health()
	if err != nil {
		err = unusable(err)
	}
	return errors.Join(err, c.bundle.Health())
}

// unusable says of a key file what is wrong with it.
func unusable(err error) error {
	if errors.Is(err, errKind) {
		return fmt.Errorf("failed to build token generator: %w", err)
	}
	return fmt.Errorf("error reading key for service account token controller: %w", err)
}
