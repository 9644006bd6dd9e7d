// SPDX-License-Identifier: Apache-2.0

package servicecidr

import (
	"context"
	"errors"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// TestFailures says which failures are told, and in which words.
func TestFailures(t *testing.T) {
	no := errors.New("no")
	const event = "Warning KubernetesServiceCIDRError The ServiceCIDR Status can not be set to Ready=True"
	for _, test := range []struct {
		name   string
		answer error
		want   error
		event  string
	}{
		{"set", nil, nil, ""},
		{"refused", no, no, event},
		{"stopping", client.ErrStopping, client.ErrStopping, ""},
		{"gone meanwhile", apierrors.NewNotFound(resource, "own"), nil, ""},
	} {
		api := fake.NewClientset()
		api.PrependReactor("patch", "servicecidrs", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, &networkingv1.ServiceCIDR{}, test.answer
		})
		events := record.NewFakeRecorder(1)
		c := &serviceCIDRs{client: api, recorder: events, clock: clocktesting.NewFakePassiveClock(time.Now())}
		if err := c.setReady(context.Background(), cidr("own")); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		got := ""
		select {
		case got = <-events.Events:
		default:
		}
		if got != test.event {
			t.Errorf("%s: event %q, want %q", test.name, got, test.event)
		}
	}
}
