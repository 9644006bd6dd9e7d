// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// server answers discovery when the test lets it.
type server struct {
	discovery.ServerResourcesInterfaceWithContext

	requests atomic.Int32
	release  chan struct{}
	lists    []*metav1.APIResourceList
	err      error
}

func (s *server) ServerPreferredNamespacedResourcesWithContext(context.Context) ([]*metav1.APIResourceList, error) {
	s.requests.Add(1)
	if s.release != nil {
		<-s.release
	}
	return s.lists, s.err
}

func TestWaitersShareTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &server{release: make(chan struct{}), lists: []*metav1.APIResourceList{served("v1", resource("pods", "delete"))}}
		s := newSurvey(api)
		var all sync.WaitGroup
		ask := func() {
			if a := s.ask(t.Context()); len(a.lists) != 1 || a.err != nil {
				t.Errorf("got %+v", a)
			}
		}
		all.Go(ask)
		synctest.Wait()
		// The first request is under way: those who come now cannot have its answer.
		for range 5 {
			all.Go(ask)
		}
		synctest.Wait()
		if n := api.requests.Load(); n != 1 {
			t.Errorf("%d requests at once", n)
		}
		api.release <- struct{}{}
		synctest.Wait()
		api.release <- struct{}{}
		all.Wait()
		if n := api.requests.Load(); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

func TestNothingServed(t *testing.T) {
	api := &server{}
	s := newSurvey(api)
	if a := s.ask(t.Context()); !errors.Is(a.err, errNothingServed) {
		t.Errorf("got %+v", a)
	}
	api.err = errors.New("down")
	if a := s.ask(t.Context()); !errors.Is(a.err, api.err) {
		t.Errorf("got %+v", a)
	}
	api.lists = []*metav1.APIResourceList{served("v1")}
	if a := s.ask(t.Context()); len(a.lists) != 1 || !errors.Is(a.err, api.err) {
		t.Errorf("some groups failed: got %+v", a)
	}
}
