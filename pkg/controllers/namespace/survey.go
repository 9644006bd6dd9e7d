// SPDX-License-Identifier: Apache-2.0

package namespace

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// errNothingServed is a discovery that succeeded and found nothing. Believing it
// would let namespaces go with all that is in them.
var errNothingServed = errors.New("discovery found no namespaced resources")

// survey asks the API server what can be in a namespace. The answer is never
// older than the question: what was served before a namespace began to end is not
// all that can be in it. But those who ask while another's request is under way
// share the next one, so a hundred namespaces that end together do not ask a
// hundred times.
type survey struct {
	client discovery.ServerResourcesInterfaceWithContext

	mu   sync.Mutex
	next *answer // not requested yet; nil when nobody waits
	// line has room for the request that is under way.
	line chan struct{}
}

type answer struct {
	done  chan struct{}
	lists []*metav1.APIResourceList
	err   error
}

func newSurvey(client discovery.ServerResourcesInterfaceWithContext) *survey {
	return &survey{client: client, line: make(chan struct{}, 1)}
}

// ask returns the namespaced resources in their preferred versions. With an error
// there may be some too.
func (s *survey) ask(ctx context.Context) *answer {
	s.mu.Lock()
	a, follows := s.next, s.next != nil
	if !follows {
		// The error stays when the request panics: others have the answer too.
		a = &answer{done: make(chan struct{}), err: errNothingServed}
		s.next = a
	}
	s.mu.Unlock()
	if follows {
		<-a.done
		return a
	}
	defer close(a.done)
	s.line <- struct{}{}
	defer func() { <-s.line }()
	s.mu.Lock()
	s.next = nil // who comes from now on is too late for this request
	s.mu.Unlock()
	s.request(ctx, a)
	return a
}

// request fills an answer. One that found nothing keeps the error it was made
// with, unless there is a better one.
func (s *survey) request(ctx context.Context, a *answer) {
	lists, err := s.client.ServerPreferredNamespacedResourcesWithContext(ctx)
	a.lists = lists
	if len(lists) > 0 || err != nil {
		a.err = err
	}
}
