// SPDX-License-Identifier: Apache-2.0

// Package event writes Events for one run of a controller. client-go's
// correlator decides what is counted up, aggregated and dropped; the recorder
// around it is this package's own because a run must be able to wait until the
// recorder has flushed and ended, which client-go's broadcaster cannot.
package event

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

const (
	// queueLength is how many events may wait; more are dropped.
	queueLength = 1000
	// attempts is how often one event is tried while the server is away.
	attempts = 12
	// retryDelay is the pause between attempts; the first is random below it.
	retryDelay = 10 * time.Second
)

// Recorder records events from Start until Stop.
type Recorder struct {
	component  string
	sink       corev1client.EventsGetter
	clock      clock.PassiveClock
	logger     klog.Logger
	correlator *record.EventCorrelator

	mu      sync.Mutex
	started bool
	stopped bool
	queue   chan *corev1.Event
	// abort ends attempts that are under way when flushing took too long.
	abort context.CancelFunc
	done  chan struct{}
}

var _ record.EventRecorder = (*Recorder)(nil)

// NewRecorder makes a recorder that is not started. The component is what
// events name as their source.
func NewRecorder(component string, sink corev1client.EventsGetter, c clock.PassiveClock, logger klog.Logger) *Recorder {
	return &Recorder{
		component:  component,
		sink:       sink,
		clock:      c,
		logger:     logger,
		correlator: record.NewEventCorrelatorWithOptions(record.CorrelatorOptions{Clock: c}),
		queue:      make(chan *corev1.Event, queueLength),
		done:       make(chan struct{}),
	}
}

// Start begins to write events. It may be called once.
func (r *Recorder) Start() {
	ctx, abort := context.WithCancel(context.Background())
	r.mu.Lock()
	r.started, r.abort = true, abort
	r.mu.Unlock()
	go func() {
		defer close(r.done)
		defer abort()
		for e := range r.queue {
			r.write(ctx, e)
		}
	}()
}

// Stop writes what is queued, until the context ends, and returns when the
// recorder's goroutine has. Later events are dropped.
func (r *Recorder) Stop(ctx context.Context) {
	r.mu.Lock()
	stopped := r.stopped
	r.stopped = true
	if !stopped {
		close(r.queue)
	}
	started := r.started
	r.mu.Unlock()
	if !started {
		return
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		r.abort()
		<-r.done
	}
}

// Event is part of record.EventRecorder.
func (r *Recorder) Event(object runtime.Object, eventtype, reason, message string) {
	r.record(object, nil, eventtype, reason, message)
}

// Eventf is part of record.EventRecorder.
func (r *Recorder) Eventf(object runtime.Object, eventtype, reason, messageFmt string, args ...any) {
	r.record(object, nil, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

// AnnotatedEventf is part of record.EventRecorder.
func (r *Recorder) AnnotatedEventf(object runtime.Object, annotations map[string]string, eventtype, reason, messageFmt string, args ...any) {
	r.record(object, annotations, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

func (r *Recorder) record(object runtime.Object, annotations map[string]string, eventtype, reason, message string) {
	ref, err := reference.GetReference(scheme.Scheme, object)
	if err != nil {
		r.logger.Error(err, "Could not construct reference, will not report event", "eventType", eventtype, "reason", reason, "message", message)
		return
	}
	e := r.event(ref, annotations, eventtype, reason, message)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	select {
	case r.queue <- e:
	default:
		r.logger.V(2).Info("Event dropped, too many are waiting", "object", klog.KRef(ref.Namespace, ref.Name), "reason", reason)
	}
}

func (r *Recorder) event(ref *corev1.ObjectReference, annotations map[string]string, eventtype, reason, message string) *corev1.Event {
	now := metav1.NewTime(r.clock.Now())
	namespace := ref.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name:        util.GenerateEventName(ref.Name, now.UnixNano()),
			Namespace:   namespace,
			Annotations: annotations,
		},
		InvolvedObject:      *ref,
		Reason:              reason,
		Message:             message,
		FirstTimestamp:      now,
		LastTimestamp:       now,
		Count:               1,
		Type:                eventtype,
		Source:              corev1.EventSource{Component: r.component},
		ReportingController: r.component,
	}
}

func (r *Recorder) write(ctx context.Context, e *corev1.Event) {
	r.logger.V(3).Info("Event occurred", "object", klog.KRef(e.InvolvedObject.Namespace, e.InvolvedObject.Name),
		"kind", e.InvolvedObject.Kind, "type", e.Type, "reason", e.Reason, "message", e.Message)
	result, err := r.correlator.EventCorrelate(e)
	if err != nil {
		r.logger.Error(err, "Event correlation failed")
		return
	}
	if result.Skip {
		return
	}
	for try := 1; !r.attempt(ctx, result); try++ {
		if try == attempts {
			r.logger.Error(nil, "Unable to write event (retry limit exceeded)", "reason", e.Reason)
			return
		}
		delay := retryDelay
		if try == 1 {
			delay = time.Duration(float64(delay) * rand.Float64())
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// attempt writes an event once. It reports whether the event is done with,
// written or refused for good.
func (r *Recorder) attempt(ctx context.Context, result *record.EventCorrelateResult) bool {
	e := result.Event
	events := r.sink.Events(e.Namespace)
	var written *corev1.Event
	var err error
	if e.Count > 1 {
		written, err = events.Patch(ctx, e.Name, types.StrategicMergePatchType, result.Patch, metav1.PatchOptions{})
	}
	// The event that is to be counted up may have expired meanwhile.
	if e.Count <= 1 || apierrors.IsNotFound(err) {
		e.ResourceVersion = ""
		written, err = events.Create(ctx, e, metav1.CreateOptions{})
	}
	if err == nil {
		r.correlator.UpdateState(written)
		return true
	}
	var construction *rest.RequestConstructionError
	var status *apierrors.StatusError
	switch {
	case ctx.Err() != nil, errors.As(err, &construction):
		return true
	case errors.As(err, &status):
		if !apierrors.IsAlreadyExists(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && !apierrors.IsNotFound(err) {
			r.logger.Error(err, "Server rejected event (will not retry)", "namespace", e.Namespace, "reason", e.Reason, "message", e.Message)
		}
		return true
	}
	r.logger.V(2).Info("Unable to write event (may retry after sleeping)", "err", err)
	return false
}
