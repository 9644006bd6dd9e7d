// SPDX-License-Identifier: Apache-2.0

package announce

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
)

// Target is where verdicts are published.
type Target struct {
	Client kubernetes.Interface
	// Namespace and Lease name the Lease of the election.
	Namespace, Lease string
	// Candidate is the name of this process's LeaseCandidate, or "".
	Candidate string
	Events    record.EventRecorder
}

const (
	// refresh is how often the annotations are compared: the Lease may have been
	// deleted and made anew.
	refresh = time.Minute
	// again is the pause after an attempt that failed.
	again = 2 * time.Second
	// races is how often an update is tried that others were faster than.
	races = 5
)

// Serve publishes verdicts until the context ends. It must not run twice at a
// time.
func (a *Announcer) Serve(ctx context.Context, t Target) {
	for {
		pause := refresh
		if err := a.publish(ctx, t); err != nil && ctx.Err() == nil {
			a.opts.Logger.V(2).Info("The verdict about the configuration is not published yet", "err", err)
			pause = again
		}
		timer := a.opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-a.news:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// publish brings the annotations up to date and writes the Events.
func (a *Announcer) publish(ctx context.Context, t Target) error {
	own, effect, ok := a.entry()
	if !ok {
		return nil
	}
	lease, err := t.annotateLease(ctx, own, effect)
	if err != nil {
		return err
	}
	for _, v := range a.takeEvents() {
		level := corev1.EventTypeNormal
		if v.Outcome != Applied {
			level = corev1.EventTypeWarning
		}
		t.Events.Event(lease, level, "Configuration"+string(v.Outcome), v.message(own.Identity, own.Role))
	}
	if t.Candidate == "" {
		return nil
	}
	return t.annotateCandidate(ctx, own)
}

// annotateLease returns the Lease as it is then.
func (t Target) annotateLease(ctx context.Context, own Entry, effect string) (lease *coordinationv1.Lease, err error) {
	leases := t.Client.CoordinationV1().Leases(t.Namespace)
	err = retry(func() error {
		if lease, err = leases.Get(ctx, t.Lease, metav1.GetOptions{}); err != nil {
			return err
		}
		annotations, changed := annotate(lease.Annotations, own, effect)
		if !changed {
			return nil
		}
		lease.Annotations = annotations
		lease, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
		return err
	})
	if lease != nil { // what a client returns has no type
		lease.APIVersion, lease.Kind = coordinationv1.SchemeGroupVersion.String(), "Lease"
	}
	return lease, err
}

func (t Target) annotateCandidate(ctx context.Context, own Entry) error {
	candidates := t.Client.CoordinationV1beta1().LeaseCandidates(t.Namespace)
	own.Role = "" // the object of a candidate does not say who leads
	return retry(func() error {
		c, err := candidates.Get(ctx, t.Candidate, metav1.GetOptions{})
		if err != nil {
			return err
		}
		annotations, changed := annotate(c.Annotations, own, "")
		if !changed {
			return nil
		}
		c.Annotations = annotations
		_, err = candidates.Update(ctx, c, metav1.UpdateOptions{})
		return err
	})
}

// retry does it anew while others are faster.
func retry(attempt func() error) (err error) {
	for range races {
		if err = attempt(); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}
