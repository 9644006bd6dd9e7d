// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
)

const (
	reviewTimeout = 10 * time.Second
	reviewQPS     = 200
	reviewBurst   = 400
	// answers bounds the cache of authorization answers.
	answers = 4096
)

// guard decides about requests. Authorization is this package's own small client
// of SubjectAccessReview, because the shared one brings an expression engine of
// many megabytes that a component does not use.
type guard struct {
	authn   authenticator.Request
	reviews kubernetes.Interface
	public  []string
	cache   *cache.LRUExpireCache
	yes, no time.Duration
}

func newGuard(ctx context.Context, c *v1beta1.KubeControllerManagerConfiguration) (*guard, error) {
	g := &guard{
		public: c.Authorization.AlwaysAllowPaths, cache: cache.NewLRUExpireCache(answers),
		yes: c.Authorization.CacheAuthorizedTTL.Duration, no: c.Authorization.CacheUnauthorizedTTL.Duration,
	}
	var err error
	if g.reviews, err = reviewClient(c.Authorization.Kubeconfig, "authorization"); err != nil {
		return nil, err
	}
	g.authn, err = newAuthenticator(ctx, c.Authentication)
	return g, err
}

// reviewClient is nil without a kubeconfig.
func reviewClient(kubeconfig, purpose string) (kubernetes.Interface, error) {
	if kubeconfig == "" {
		return nil, nil
	}
	cfg, err := client.LoadConfig(kubeconfig, "")
	if err != nil {
		return nil, fmt.Errorf("failed to get delegated %s kubeconfig: %w", purpose, err)
	}
	cfg.QPS, cfg.Burst, cfg.Timeout = reviewQPS, reviewBurst, reviewTimeout
	rest.AddUserAgent(cfg, purpose)
	return kubernetes.NewForConfig(cfg)
}

func newAuthenticator(ctx context.Context, a v1beta1.Authentication) (authenticator.Request, error) {
	d := authenticatorfactory.DelegatingAuthenticatorConfig{
		Anonymous:                &apiserver.AnonymousAuthConfig{Enabled: true},
		TokenAccessReviewTimeout: reviewTimeout,
		WebhookRetryBackoff:      &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5},
		CacheTTL:                 a.TokenCacheTTL.Duration,
	}
	reviews, err := reviewClient(a.Kubeconfig, "authentication")
	if err != nil {
		return nil, err
	}
	if reviews != nil {
		d.TokenAccessReviewClient = reviews.AuthenticationV1()
	}
	if a.ClientCAFile != "" {
		bundle, err := caBundle(ctx, "client-ca", a.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("unable to load client CA provider: %w", err)
		}
		d.ClientCertificateCAContentProvider = bundle
	}
	if a.RequestHeaderClientCAFile != "" {
		bundle, err := caBundle(ctx, "request-header", a.RequestHeaderClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("unable to load request header client CA: %w", err)
		}
		d.RequestHeaderConfig = &authenticatorfactory.RequestHeaderConfig{
			UsernameHeaders:     headerrequest.StaticStringSlice(a.RequestHeaderUsernameHeaders),
			UIDHeaders:          headerrequest.StaticStringSlice(a.RequestHeaderUIDHeaders),
			GroupHeaders:        headerrequest.StaticStringSlice(a.RequestHeaderGroupHeaders),
			ExtraHeaderPrefixes: headerrequest.StaticStringSlice(a.RequestHeaderExtraHeadersPrefix),
			CAContentProvider:   bundle,
			AllowedClientNames:  headerrequest.StaticStringSlice(a.RequestHeaderAllowedNames),
		}
	}
	authn, _, err := d.New()
	return authn, err
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

// wrap lets through what is allowed.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known, err := g.authn.AuthenticateRequest(r)
		if err != nil || !known {
			refuse(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
			return
		}
		allowed, err := g.allowed(r.Context(), answer.User, strings.ToLower(r.Method), r.URL.Path)
		switch {
		case err != nil:
			refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, "the authorization could not be checked")
		case !allowed:
			refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden,
				fmt.Sprintf("forbidden: User %q cannot %s path %q", answer.User.GetName(), strings.ToLower(r.Method), r.URL.Path))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (g *guard) allowed(ctx context.Context, u user.Info, verb, path string) (bool, error) {
	if slices.Contains(u.GetGroups(), user.SystemPrivilegedGroup) || slices.ContainsFunc(g.public, func(p string) bool { return matches(p, path) }) {
		return true, nil
	}
	if g.reviews == nil {
		return false, nil
	}
	spec := authorizationv1.SubjectAccessReviewSpec{
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
		User:                  u.GetName(), Groups: u.GetGroups(), UID: u.GetUID(),
	}
	for k, v := range u.GetExtra() {
		if spec.Extra == nil {
			spec.Extra = map[string]authorizationv1.ExtraValue{}
		}
		spec.Extra[k] = v
	}
	return g.review(ctx, spec)
}

func (g *guard) review(ctx context.Context, spec authorizationv1.SubjectAccessReviewSpec) (bool, error) {
	key, err := json.Marshal(spec)
	if err != nil {
		return false, err
	}
	if known, ok := g.cache.Get(string(key)); ok {
		return known.(bool), nil
	}
	sar, err := g.reviews.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	ttl := g.no
	if sar.Status.Allowed {
		ttl = g.yes
	}
	g.cache.Add(string(key), sar.Status.Allowed, ttl)
	return sar.Status.Allowed, nil
}

// matches compares a path with a pattern that may end in *. A leading slash is
// not told apart, as upstream.
func matches(pattern, path string) bool {
	pattern, path = strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(path, "/")
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Message: message, Reason: reason, Code: int32(code),
	})
}
