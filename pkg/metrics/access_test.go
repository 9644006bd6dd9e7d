// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/pkg/metrics"
)

func TestAccessIsCountedInUpstreamsClasses(t *testing.T) {
	h := metrics.NewHub()
	a := metrics.NewAccess(h.Process)
	broken := errors.New("broken")
	for _, user := range []string{"somebody", "admin", "a@b", "another"} {
		a.Authenticated(user, true, nil, time.Second)
	}
	a.Authenticated("", false, nil, time.Second)
	a.Authenticated("", true, broken, time.Second)
	a.Authorized(true, nil, time.Second)
	a.Authorized(false, nil, time.Second)
	a.Authorized(false, broken, time.Second)
	want := map[string]float64{
		"authenticated_user_requests/other": 2, "authenticated_user_requests/admin": 1, "authenticated_user_requests/email_id": 1,
		"authentication_attempts/success": 4, "authentication_attempts/failure": 1, "authentication_attempts/error": 1,
		"authorization_attempts_total/allowed": 1, "authorization_attempts_total/no-opinion": 1, "authorization_attempts_total/error": 1,
	}
	if diff := cmp.Diff(want, counters(t, h, "auth")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A run's requests are counted in classes, and leave with the run.
func TestRequestsOfARun(t *testing.T) {
	h := metrics.NewHub()
	registry, leave := h.Prepare()
	r := metrics.NewRequests(registry, "a-controller")
	h.Serve(registry)
	for _, code := range []int{200, 201, 409, 503, 0, 700} {
		r.Observe(http.MethodPatch, code, time.Second)
	}
	r.Observe(http.MethodOptions, 200, time.Second)
	const name = "kube_controller_manager_api_requests_total/"
	want := map[string]float64{name + "2xx/a-controller/patch": 2, name + "4xx/a-controller/patch": 1, name + "5xx/a-controller/patch": 1,
		name + "error/a-controller/patch": 2, name + "2xx/a-controller/other": 1}
	if diff := cmp.Diff(want, counters(t, h, metrics.Subsystem)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	leave()
	if left := exposition(t, h, metrics.Subsystem); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// counters are the counters whose names begin with a prefix, by name and values of
// labels.
func counters(t *testing.T, h *metrics.Hub, prefix string) map[string]float64 {
	t.Helper()
	families, err := h.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if !strings.HasPrefix(f.GetName(), prefix) || m.Counter == nil {
				continue
			}
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += "/" + l.GetValue()
			}
			values[key] = m.Counter.GetValue()
		}
	}
	return values
}
