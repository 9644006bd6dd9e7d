// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"errors"
	"strings"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// candidate keeps a LeaseCandidate, by which the control plane knows that this
// process could lead and how old it is.
type candidate struct {
	client   kubernetes.Interface
	election v1beta1.LeaderElection
	identity string

	mu     sync.Mutex
	waiter leaderelection.CacheSyncWaiter
	err    error
}

func newCandidate(client kubernetes.Interface, le v1beta1.LeaderElection, identity string) *candidate {
	return &candidate{client: client, election: le, identity: identity}
}

// start keeps the candidate up to date until the returned function is called,
// which waits for the end of it.
func (c *candidate) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	binary, emulated := versions(version.Get().GitVersion)
	candidacy, waiter, err := leaderelection.NewCandidate(c.client, c.election.ResourceNamespace, c.identity, c.election.ResourceName,
		binary, emulated, coordinationv1.OldestEmulationVersion)
	c.mu.Lock()
	c.waiter, c.err = waiter, err
	c.mu.Unlock()
	if err != nil {
		klog.FromContext(ctx).Error(err, "No candidacy for the lease")
		return cancel
	}
	done := make(chan struct{})
	go func() { defer close(done); candidacy.Run(ctx) }()
	return func() {
		cancel()
		<-done
		if f, ok := waiter.(interface{ Shutdown() }); ok {
			f.Shutdown()
		}
	}
}

// health fails until the watch of the candidate has seen it.
func (c *candidate) health() error {
	c.mu.Lock()
	waiter, err := c.waiter, c.err
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if waiter == nil {
		return errors.New("the candidacy has not begun")
	}
	now := make(chan struct{})
	close(now)
	for _, synced := range waiter.WaitForCacheSync(now) {
		if !synced {
			return errors.New("the informer of the lease candidate has not synced")
		}
	}
	return nil
}

// versions are those of the program in the form 1.2.3: its own, and the one it
// emulates. A program that was built without a version counts as the one it
// stands in for.
func versions(git string) (binary, emulated string) {
	emulated = feature.EmulationVersion + ".0"
	binary, _, _ = strings.Cut(strings.TrimPrefix(git, "v"), "-")
	binary, _, _ = strings.Cut(binary, "+")
	if strings.HasPrefix(binary, "0.") || strings.Count(binary, ".") != 2 {
		binary = emulated
	}
	return binary, emulated
}
