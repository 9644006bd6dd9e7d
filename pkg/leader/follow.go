// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// watchSeconds is how long one watch of the lease lasts.
const watchSeconds = 600

// follow ends the term when the lease becomes this process's to take, while it
// waits: others gave it up, or the control plane assigned it. The next term tries
// at once, where this one would wait for its pause to end. Without a watch the
// pause decides. The returned function ends the watch and waits for it.
func (t *term) follow(client kubernetes.Interface) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil && !t.leads() {
			if t.look(ctx, client) {
				t.drop()
				return
			}
			timer := time.NewTimer(t.elector.opts.Election.RetryPeriod.Duration)
			select {
			case <-ctx.Done():
			case <-t.ended:
				cancel()
			case <-timer.C:
			}
			timer.Stop()
		}
	}()
	return func() { cancel(); <-done }
}

// look watches the lease until it can be taken, which is true, or the watch ends.
func (t *term) look(ctx context.Context, client kubernetes.Interface) bool {
	le := t.elector.opts.Election
	w, err := client.CoordinationV1().Leases(le.ResourceNamespace).Watch(ctx, metav1.ListOptions{
		FieldSelector:  fields.OneTermEqualSelector("metadata.name", le.ResourceName).String(),
		TimeoutSeconds: ptr.To[int64](watchSeconds),
	})
	if err != nil {
		t.elector.opts.Logger.V(2).Info("The lease cannot be watched, a release will be noticed later", "err", err)
		return false
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.ended:
			return false
		case e, open := <-w.ResultChan():
			lease, ok := e.Object.(*coordinationv1.Lease)
			switch {
			case !open || !ok || t.leads():
				return false
			case e.Type == watch.Deleted: // the leader's to create anew
			case t.takeable(lease):
				return true
			}
		}
	}
}

// takeable says whether a lease that the elector saw in other hands is free now.
func (t *term) takeable(lease *coordinationv1.Lease) bool {
	seen, now := t.elector.Holder(), ptr.Deref(lease.Spec.HolderIdentity, "")
	if t.elector.candidate != nil {
		return now == t.elector.lock.Identity() && seen != now
	}
	return now == "" && seen != ""
}
