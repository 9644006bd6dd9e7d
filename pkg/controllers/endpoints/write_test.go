// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/endpointslice/util"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// TestRefusedWrites says which failures are told, and in which words.
func TestRefusedWrites(t *testing.T) {
	no := errors.New("no")
	terminating := apierrors.NewForbidden(resource, "web", no)
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for _, test := range []struct {
		name   string
		exists bool
		answer error
		want   error
		event  string
	}{
		{"created", false, nil, nil, ""},
		{"updated", true, nil, nil, ""},
		{"not created", false, no, no, "Warning FailedToCreateEndpoint Failed to create endpoint for service n/web: no"},
		{"not updated", true, no, no, "Warning FailedToUpdateEndpoint Failed to update endpoint n/web: no"},
		{"not created while stopping", false, client.ErrStopping, client.ErrStopping, ""},
		{"not updated while stopping", true, client.ErrStopping, client.ErrStopping, ""},
		{"not created in a namespace that goes", false, terminating, nil, ""},
		{"not updated in a namespace that goes", true, terminating, terminating, "Warning FailedToUpdateEndpoint Failed to update endpoint n/web: " + terminating.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := fake.NewClientset()
			api.PrependReactor("*", "endpoints", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, &corev1.Endpoints{}, test.answer
			})
			events := record.NewFakeRecorder(1)
			c := &endpoints{client: api, recorder: events}
			service := serviceLike(nil)
			err := c.write(context.Background(), service, &corev1.Endpoints{ObjectMeta: service.ObjectMeta}, test.exists)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			event := ""
			select {
			case event = <-events.Events:
			default:
			}
			if diff := cmp.Diff(test.event, event); diff != "" {
				t.Error("event:", diff)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	for _, test := range []struct {
		name   string
		exists bool
		answer error
		want   error
		sent   int
	}{
		{"there are none", false, nil, nil, 0},
		{"gone", true, nil, nil, 1},
		{"gone before", true, apierrors.NewNotFound(resource, "web"), nil, 1},
		{"refused", true, client.ErrStopping, client.ErrStopping, 1},
	} {
		api := fake.NewClientset()
		api.PrependReactor("delete", "endpoints", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.answer })
		c := &endpoints{client: api, triggers: util.NewTriggerTimeTracker()}
		if err := c.remove(context.Background(), cache.NewObjectName("n", "web"), test.exists); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if n := len(api.Actions()); n != test.sent {
			t.Errorf("%s: %d requests, want %d", test.name, n, test.sent)
		}
	}
}

func TestStaleText(t *testing.T) {
	const want = "endpoints informer cache is out of date, resource version 7 already processed for endpoints n/web"
	if got := (staleError{"7", "n/web"}).Error(); got != want {
		t.Errorf("got %q", got)
	}
}
