// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
)

func TestDirectory(t *testing.T) {
	asked, down := 0, errors.New("down")
	var failure error
	api := &monitors.Served{Resources: monitors.Resources{
		{Version: "v1", Resource: "secrets"}:             {Verbs: metav1.Verbs{"list"}, Namespaced: true},
		{Group: "g", Version: "v2", Resource: "widgets"}: {},
	}}
	clock := clocktesting.NewFakeClock(time.Unix(1000, 0))
	d := newDirectory(clock, func(context.Context) (*monitors.Served, error) {
		asked++
		return api, failure
	})
	find := func(group, resource string, want error, times int) served {
		t.Helper()
		got, err := d.find(t.Context(), metav1.GroupResource{Group: group, Resource: resource})
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if asked != times {
			t.Errorf("asked %d times, want %d", asked, times)
		}
		return got
	}
	want := served{monitors.Resource{Verbs: metav1.Verbs{"list"}, Namespaced: true}, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}}
	if diff := cmp.Diff(want, find("", "secrets", nil, 1), cmp.AllowUnexported(served{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	find("g", "widgets", nil, 1)
	find("g", "secrets", errUnknown, 1)
	// What is unknown is asked for again after a while, what is known later.
	clock.Step(patience)
	find("", "secrets", nil, 1)
	find("g", "gadgets", errUnknown, 2)
	find("g", "gadgets", errUnknown, 2)
	clock.Step(shelfLife)
	find("", "secrets", nil, 3)
	// A reason to ask is one.
	d.outdate()
	api.Resources[schema.GroupVersionResource{Group: "g", Version: "v2", Resource: "gadgets"}] = monitors.Resource{}
	find("g", "gadgets", nil, 4)
	find("g", "gadgets", nil, 4)

	t.Run("a failure is not remembered", func(*testing.T) {
		d.outdate()
		failure = down
		find("", "secrets", down, 5)
		find("", "secrets", down, 6)
		failure = nil
		find("", "secrets", nil, 7)
	})
	t.Run("a group that cannot be discovered is not unknown", func(*testing.T) {
		d.outdate()
		api.Failed = map[schema.GroupVersion]error{{Group: "away", Version: "v1"}: down}
		find("away", "ships", down, 8)
		find("", "secrets", nil, 8)
		find("g", "ships", errUnknown, 8)
	})
}

func TestRefusal(t *testing.T) {
	s := served{resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}}
	s.Verbs = metav1.Verbs{"get", "list", "patch", "update", "watch"}
	if got := s.refusal(); got != "" {
		t.Errorf("refused: %s", got)
	}
	for _, verbs := range []metav1.Verbs{nil, {"list"}, {"list", "patch"}, {"update", "patch"}, {"update", "list", "watch"}} {
		s.Verbs = verbs
		if got := s.refusal(); got != `resource "apps/v1, Resource=deployments" does not support discovery operations: [update patch list]` {
			t.Errorf("%v: %s", verbs, got)
		}
	}
}
