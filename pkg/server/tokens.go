// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
)

// tokens asks the API server whose a bearer token is. It is this package's own,
// because the shared one has the client log tokens at high verbosity.
type tokens struct {
	reviews kubernetes.Interface
	metrics *delegated
	logger  klog.Logger
}

// AuthenticateToken is part of authenticator.Token.
func (t *tokens) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	ctx, cancel := context.WithTimeout(klog.NewContext(ctx, discreet(t.logger)), reviewTimeout)
	defer cancel()
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := t.ask(ctx, review)
	if err != nil {
		t.logger.Error(err, "Failed to have a token reviewed")
		return nil, false, err
	}
	s := answer.Status
	if !s.Authenticated {
		if s.Error != "" {
			err = errors.New(s.Error)
		}
		return nil, false, err
	}
	extra := map[string][]string{}
	for k, v := range s.User.Extra {
		extra[k] = v
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: s.User.Username, UID: s.User.UID, Groups: s.User.Groups, Extra: extra}}, true, nil
}

// ask tries a few times, in upstream's rhythm.
func (t *tokens) ask(ctx context.Context, review *authenticationv1.TokenReview) (answer *authenticationv1.TokenReview, err error) {
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 5}
	waited := wait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		begun := time.Now()
		answer, err = t.reviews.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
		t.metrics.observe(authentication, err, time.Since(begun))
		return err == nil || !passing(err), nil
	})
	if err == nil {
		err = waited
	}
	return answer, err
}

// passing says whether a failure may be over at the next attempt.
func passing(err error) bool {
	if utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err) {
		return true
	}
	if _, delayed := apierrors.SuggestsClientDelay(err); delayed {
		return true
	}
	return apierrors.IsInternalError(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err)
}

// bodyLevel is the verbosity from which on clients log what they send.
const bodyLevel = 8

// discreet is a logger that keeps what clients send to itself.
func discreet(l klog.Logger) klog.Logger { return logr.New(discretion{l.GetSink()}) }

type discretion struct{ logr.LogSink }

// Enabled is part of logr.LogSink, as are the others.
func (d discretion) Enabled(level int) bool { return level < bodyLevel && d.LogSink.Enabled(level) }

func (d discretion) WithValues(list ...any) logr.LogSink {
	return discretion{d.LogSink.WithValues(list...)}
}

func (d discretion) WithName(name string) logr.LogSink {
	return discretion{d.LogSink.WithName(name)}
}

// code is what a request ended with, for metrics.
func code(err error) string {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return "201"
	case errors.As(err, &status) && status.Status().Code != 0:
		return strconv.Itoa(int(status.Status().Code))
	}
	return "<error>"
}
