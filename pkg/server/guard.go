// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

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
	// lookup are the settings that come from the cluster, or nil.
	lookup  *lookup
	metrics *delegated
	logger  klog.Logger
}

// newGuard works until the context ends. Last is the guard before, or nil.
func newGuard(ctx context.Context, c *v1beta1.KubeControllerManagerConfiguration, last *guard, m *delegated, logger klog.Logger) (*guard, error) {
	g := &guard{
		public: c.Authorization.AlwaysAllowPaths, cache: cache.NewLRUExpireCache(answers),
		yes: c.Authorization.CacheAuthorizedTTL.Duration, no: c.Authorization.CacheUnauthorizedTTL.Duration,
		metrics: m, logger: logger,
	}
	var err error
	if g.reviews, err = reviewClient(c.Authorization.Kubeconfig, "authorization"); err != nil {
		return nil, err
	}
	err = g.authenticate(ctx, c.Authentication, last)
	return g, err
}

// wait returns when nothing of the guard works any more.
func (g *guard) wait() {
	if g.lookup != nil {
		<-g.lookup.done
	}
}

// reviewClient is nil without a kubeconfig, unless this is a pod.
func reviewClient(kubeconfig, purpose string) (kubernetes.Interface, error) {
	var cfg *rest.Config
	var err error
	if kubeconfig != "" {
		cfg, err = client.LoadConfig(kubeconfig, "")
	} else if cfg, err = rest.InClusterConfig(); errors.Is(err, rest.ErrNotInCluster) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to get delegated %s kubeconfig: %w", purpose, err)
	}
	cfg.QPS, cfg.Burst = reviewQPS, reviewBurst
	rest.AddUserAgent(cfg, purpose)
	return kubernetes.NewForConfig(cfg)
}

// recognize finds out who asks, and counts it.
func (g *guard) recognize(r *http.Request) (*authenticator.Response, bool, error) {
	began := time.Now()
	answer, known, err := g.authn.AuthenticateRequest(r)
	name := ""
	if known && err == nil {
		name = answer.User.GetName()
	}
	g.metrics.access.Authenticated(name, known, err, time.Since(began))
	return answer, known, err
}

// wrap lets through what is allowed.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known, err := g.recognize(r)
		if err != nil || !known {
			g.logger.V(requestLevel).Info("Unable to authenticate the request", "path", r.URL.Path, "srcIP", r.RemoteAddr, "problem", err)
			refuse(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
			return
		}
		verb := strings.ToLower(r.Method)
		began := time.Now()
		allowed, err := g.allowed(r.Context(), answer.User, verb, r.URL.Path)
		g.metrics.access.Authorized(allowed, err, time.Since(began))
		switch {
		case err != nil:
			g.logger.Error(err, "The authorization could not be checked", "user", answer.User.GetName(), "verb", verb, "path", r.URL.Path)
			refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, "the authorization could not be checked")
		case !allowed:
			refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden,
				fmt.Sprintf("forbidden: User %q cannot %s path %q", answer.User.GetName(), verb, r.URL.Path))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (g *guard) allowed(ctx context.Context, u user.Info, verb, path string) (bool, error) {
	if slices.Contains(u.GetGroups(), user.SystemPrivilegedGroup) || g.isPublic(path) {
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

// spellings are other ways to ask for a page, which tell no more than it does.
func spellings(path string) string {
	switch path {
	case liveness, readiness, deep:
		return "/healthz"
	}
	return path
}

func (g *guard) isPublic(path string) bool {
	return slices.ContainsFunc(g.public, func(p string) bool { return matches(p, path) || matches(p, spellings(path)) })
}

func (g *guard) review(ctx context.Context, spec authorizationv1.SubjectAccessReviewSpec) (bool, error) {
	key, err := json.Marshal(spec)
	if err != nil {
		return false, err
	}
	if known, ok := g.cache.Get(string(key)); ok {
		return known.(bool), nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	begun := time.Now()
	sar, err := g.reviews.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	g.metrics.observe(authorization, err, time.Since(begun))
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

// refuse answers with a Status, as the API server does.
func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Message: message, Reason: reason, Code: int32(code),
	})
}
