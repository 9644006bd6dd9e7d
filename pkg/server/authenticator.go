// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/anonymous"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// authenticate sets up who callers are, as long as the context lasts: a front
// proxy's word, a client certificate, a bearer token, or nobody in particular.
func (g *guard) authenticate(ctx context.Context, a v1beta1.Authentication, last *guard) error {
	var d identities
	reviews, err := reviewClient(a.Kubeconfig, "authentication")
	if err != nil {
		return err
	}
	if reviews != nil {
		d.token = cache.New(&tokens{reviews, g.metrics, g.logger}, false, a.TokenCacheTTL.Duration, a.TokenCacheTTL.Duration)
	}
	if a.ClientCAFile != "" {
		if d.clientCA, err = caBundle(ctx, "client-ca", a.ClientCAFile); err != nil {
			return fmt.Errorf("unable to load client CA provider: %w", err)
		}
	}
	if a.RequestHeaderClientCAFile != "" {
		if d.proxy, err = fileProxy(ctx, a); err != nil {
			return err
		}
	}
	if !a.SkipLookup && (a.ClientCAFile == "" || a.RequestHeaderClientCAFile == "") {
		if reviews == nil {
			g.logger.Info("Without authentication.kubeconfig nothing is looked up in the cluster, so client certificates and front proxies without a CA file of their own are not accepted", "configMap", lookupNamespace+"/"+lookupName)
		} else {
			g.lookup = newLookup(a.Kubeconfig, reviews, g.logger)
			if err := g.lookUp(ctx, a, last); err != nil {
				return err
			}
			if d.clientCA == nil {
				d.clientCA = g.lookup.clientCA()
			}
			if d.proxy == nil {
				d.proxy = g.lookup.proxy()
			}
		}
	}
	g.authn = d.authenticator()
	if g.lookup != nil {
		go g.lookup.follow(ctx)
	}
	return nil
}

// frontProxy is a proxy whose word about callers counts.
type frontProxy struct {
	ca                                dynamiccertificates.CAContentProvider
	names, users, uids, groups, extra headerrequest.StringSliceProvider
}

// identities are the ways to learn who a caller is; nil is not gone.
type identities struct {
	proxy    *frontProxy
	clientCA dynamiccertificates.CAContentProvider
	token    authenticator.Token
}

// authenticator tries them in this order. Who has no sign at all is anonymous; a
// bad sign is refused.
func (d identities) authenticator() authenticator.Request {
	var ways []authenticator.Request
	if p := d.proxy; p != nil {
		ways = append(ways, headerrequest.NewDynamicVerifyOptionsSecure(p.ca.VerifyOptions, p.names, p.users, p.uids, p.groups, p.extra))
	}
	if d.clientCA != nil {
		ways = append(ways, x509.NewDynamic(d.clientCA.VerifyOptions, x509.CommonNameUserConversion))
	}
	if d.token != nil {
		ways = append(ways, bearertoken.New(d.token))
	}
	return union.NewFailOnError(group.NewAuthenticatedGroupAdder(union.New(ways...)), anonymous.NewAuthenticator(nil))
}

// lookUp reads the settings of the cluster once. Only those of front proxies
// must be there from the start, as upstream; and what was known about the same
// cluster before will do.
func (g *guard) lookUp(ctx context.Context, a v1beta1.Authentication, last *guard) error {
	if last != nil && last.lookup != nil && last.lookup.source == g.lookup.source {
		g.lookup.current.Store(last.lookup.current.Load())
	}
	known := g.lookup.current.Load() != nil
	if a.RequestHeaderClientCAFile != "" || known {
		return nil
	}
	err := g.lookup.read(ctx)
	if err == nil {
		return nil
	}
	if a.TolerateLookupFailure {
		g.logger.Error(err, "The settings of front proxies and client certificates could not be looked up; until they can, callers who need them are anonymous")
		return nil
	}
	return fmt.Errorf("unable to load configmap based request-header-client-ca-file: %w", err)
}

// fileProxy is the configured front proxy.
func fileProxy(ctx context.Context, a v1beta1.Authentication) (*frontProxy, error) {
	bundle, err := caBundle(ctx, "request-header", a.RequestHeaderClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("unable to load request header client CA: %w", err)
	}
	return &frontProxy{
		ca:     bundle,
		names:  headerrequest.StaticStringSlice(a.RequestHeaderAllowedNames),
		users:  headerrequest.StaticStringSlice(a.RequestHeaderUsernameHeaders),
		uids:   headerrequest.StaticStringSlice(a.RequestHeaderUIDHeaders),
		groups: headerrequest.StaticStringSlice(a.RequestHeaderGroupHeaders),
		extra:  headerrequest.StaticStringSlice(a.RequestHeaderExtraHeadersPrefix),
	}, nil
}

// caBundle follows a file of CA certificates until the context ends.
func caBundle(ctx context.Context, purpose, file string) (dynamiccertificates.CAContentProvider, error) {
	bundle, err := dynamiccertificates.NewDynamicCAContentFromFile(purpose, file)
	if err != nil {
		return nil, err
	}
	go bundle.Run(ctx, 1)
	return bundle, nil
}
