// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// gizmos is a group version that the API server claims to have a schema of.
const gizmos = "apis/gizmos.example.com/v1"

// answer to a request, with a body in JSON.
func answer(r *http.Request, code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": []string{"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// launch starts the controller with an API server that answers some GETs otherwise:
// those for which the function has an answer.
func (f *fixture) launch(otherwise func(*http.Request) (*http.Response, error)) {
	d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.ValidatingAdmissionPolicyStatusController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
				if resp, err := otherwise(r); resp != nil || err != nil {
					return resp, err
				}
				return next.RoundTrip(r)
			})
		})
		env.API.Discovery = discovery.NewDiscoveryClientForConfigOrDie(cfg)
		return New(env, section)
	})
	f.run = f.Start(d, nil)
}

// claims is the list of documents with gizmos among them.
func claims(r *http.Request) *http.Response {
	return answer(r, http.StatusOK, `{"paths":{
		"`+gizmos+`":{"serverRelativeURL":"/openapi/v3/`+gizmos+`?hash=1"},
		"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1"}}}`)
}

// withGizmos is a policy for Deployments with gizmos as parameters.
func withGizmos() *admissionv1.ValidatingAdmissionPolicy {
	p := policy([]string{"object.foo == 1 || params.bar == 1"})
	p.Spec.ParamKind = &admissionv1.ParamKind{APIVersion: "gizmos.example.com/v1", Kind: "Gizmo"}
	return p
}

const gizmo = `{"components":{"schemas":{"Gizmo":{"type":"object","properties":{"spec":{"type":"string"}},
	"x-kubernetes-group-version-kind":[{"group":"gizmos.example.com","version":"v1","kind":"Gizmo"}]}}}}`

func (f *fixture) unchecked(name string) {
	f.t.Helper()
	p, err := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(f.t.Context(), name, metav1.GetOptions{})
	f.Must(err)
	if p.Status.ObservedGeneration != 0 {
		f.t.Errorf("checked: %+v", p.Status)
	}
}

func TestASchemaThatHangsDelaysItsPolicyAlone(t *testing.T) {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	asked, released := make(chan struct{}, 100), make(chan struct{})
	f.launch(func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case "/openapi/v3":
			return claims(r), nil
		case "/openapi/v3/" + gizmos:
			asked <- struct{}{}
			select {
			case <-released:
				return answer(r, http.StatusOK, gizmo), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		return nil, nil
	})
	late := f.create(withGizmos())
	<-asked
	warns(t, f.checked(f.create(policy([]string{"object.foo == 1"}))).ExpressionWarnings, []string{first, "undefined field 'foo'"})
	f.unchecked(late)
	close(released)
	warns(t, f.checked(late).ExpressionWarnings, []string{first, "undefined field 'foo'", "undefined field 'bar'"})
}

func TestASchemaThatStaysBroken(t *testing.T) {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	clock := clocktesting.NewFakeClock(time.Now())
	f.Kit.Clock = clock
	var asked atomic.Int32
	f.launch(func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case "/openapi/v3":
			return claims(r), nil
		case "/openapi/v3/" + gizmos:
			asked.Add(1)
			return answer(r, http.StatusServiceUnavailable, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"ServiceUnavailable","code":503}`), nil
		}
		return nil, nil
	})
	late := f.create(withGizmos())
	warns(t, f.checked(f.create(policy([]string{"object.foo == 1"}))).ExpressionWarnings, []string{first, "undefined field 'foo'"})
	f.unchecked(late)
	// In the end it is checked with what there is.
	testkit.Eventually(t, 2*harness.Timeout, func() error {
		clock.Step(2 * pause)
		p, err := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(t.Context(), late, metav1.GetOptions{})
		if err == nil && p.Status.ObservedGeneration == 0 {
			err = io.EOF // not yet
		}
		return err
	})
	warns(t, f.checked(late).ExpressionWarnings, []string{first, "undefined field 'foo'"})
	if n := asked.Load(); n != 1+patience {
		t.Errorf("asked %d times for the schema, want %d", n, 1+patience)
	}
}

func TestWithoutDiscoveryThereIsNoCheck(t *testing.T) {
	for _, path := range []string{"/apis", "/openapi/v3"} {
		t.Run(path, func(t *testing.T) {
			f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
			var failures atomic.Int32
			f.launch(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == path && failures.Add(1) <= 3 {
					return answer(r, http.StatusInternalServerError, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500}`), nil
				}
				return nil, nil
			})
			warns(t, f.checked(f.create(policy([]string{"object.foo == 1"}))).ExpressionWarnings, []string{first, "undefined field 'foo'"})
			if n := failures.Load(); n <= 3 {
				t.Errorf("%d requests, want more than those that failed", n)
			}
		})
	}
}

func TestAStopInTheMiddleWritesNothing(t *testing.T) {
	f := &fixture{Harness: harness.New(t, shared.Plane(t)), t: t}
	f.Kit.Grace = 50 * time.Millisecond
	asked := make(chan struct{}, 100)
	f.launch(func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case "/openapi/v3":
			return claims(r), nil
		case "/openapi/v3/" + gizmos:
			asked <- struct{}{}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return nil, nil
	})
	name := f.create(withGizmos())
	<-asked
	f.run.Stop()
	f.unchecked(name)
	f.run = f.Start(Descriptor(), nil)
	warns(t, f.checked(name).ExpressionWarnings, []string{first, "undefined field 'foo'"})
}
