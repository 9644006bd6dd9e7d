// SPDX-License-Identifier: Apache-2.0

// Package trace records what the program does as OpenTelemetry spans: changes of
// the configuration, each with its steps, and a share of the syncs of controllers.
// Where traces go may change at any time; without an endpoint nothing is recorded
// and a span costs nothing.
package trace

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// service is the name of the program in traces.
const service = "kube-controller-manager"

// flushTimeout bounds the sending of what was recorded before a change of the
// endpoint, and at the end.
const flushTimeout = 5 * time.Second

// sendTimeout bounds the sending of one batch.
const sendTimeout = 2 * time.Second

// Tracer makes spans. The zero value records nothing, and neither does nil.
type Tracer struct {
	now     atomic.Pointer[Destination]
	leaving sync.WaitGroup
}

// Destination is where traces go. Nil is nowhere.
type Destination struct {
	*trace.TracerProvider
	tracer oteltrace.Tracer
}

// Open makes the destination of a configuration, or nil when it has none. It does
// not speak to the collector, so one that is down is no error; what it does not
// take is dropped.
func Open(c v1beta1.Tracing) (*Destination, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracegrpc.New(context.Background(), otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithInsecure(),
		// What cannot be sent is dropped: traces are no reason to keep anything.
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}), otlptracegrpc.WithTimeout(sendTimeout))
	if err != nil {
		return nil, fmt.Errorf("tracing.endpoint %s: %w", c.Endpoint, err)
	}
	return newDestination(lenient{exporter}, c.SamplingRatePerMillion), nil
}

// lenient drops what the collector does not take, with a message for those who look
// for it; the library would write a line of its own to standard error each time.
type lenient struct{ trace.SpanExporter }

// ExportSpans is part of trace.SpanExporter.
func (l lenient) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := l.SpanExporter.ExportSpans(ctx, spans); err != nil {
		klog.Background().V(2).Info("Traces were dropped", "spans", len(spans), "err", err)
	}
	return nil
}

func newDestination(e trace.SpanExporter, perMillion int32) *Destination {
	p := trace.NewTracerProvider(
		trace.WithBatcher(e),
		trace.WithSampler(trace.ParentBased(sampler{trace.TraceIDRatioBased(float64(perMillion) / 1e6)})),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
	)
	return &Destination{TracerProvider: p, tracer: p.Tracer(service)}
}

// reload names the spans that are always recorded.
const reload = "reload"

// sampler records every reload, and a share of all else.
type sampler struct{ trace.Sampler }

// ShouldSample is part of trace.Sampler.
func (s sampler) ShouldSample(p trace.SamplingParameters) trace.SamplingResult {
	if p.Name == reload {
		return trace.AlwaysSample().ShouldSample(p)
	}
	return s.Sampler.ShouldSample(p)
}

// Switch sends what begins from now on to another destination, and gives up the
// one before. It does not wait for what that has still to send.
func (t *Tracer) Switch(next *Destination) { t.Drop(t.now.Swap(next)) }

// Drop gives up a destination.
func (t *Tracer) Drop(p *Destination) {
	if p == nil {
		return
	}
	t.leaving.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		_ = p.Shutdown(ctx) // a collector that is gone is no reason to complain
	})
}

// Close ends tracing when all is sent, or the time for that is over.
func (t *Tracer) Close() {
	t.Switch(nil)
	t.leaving.Wait()
}

// Span is something that takes time. Its zero value stands for one that is not
// recorded.
type Span struct{ span oteltrace.Span }

// Reload begins the span of a change of the configuration.
func (t *Tracer) Reload(ctx context.Context, hash string) (context.Context, Span) {
	return t.start(ctx, reload, "config.hash", hash)
}

// Sync begins the span of one sync of a controller.
func (t *Tracer) Sync(ctx context.Context, controller, queue string, key any) (context.Context, Span) {
	if t == nil || t.now.Load() == nil {
		return ctx, Span{}
	}
	return t.start(ctx, "sync", "controller", controller, "queue", queue, "key", fmt.Sprint(key))
}

// Step begins the span of a part of what the context is about.
func (t *Tracer) Step(ctx context.Context, name string, pairs ...string) (context.Context, Span) {
	return t.start(ctx, name, pairs...)
}

func (t *Tracer) start(ctx context.Context, name string, pairs ...string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	p := t.now.Load()
	if p == nil {
		return ctx, Span{}
	}
	attributes := make([]attribute.KeyValue, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		attributes = append(attributes, attribute.String(pairs[i], pairs[i+1]))
	}
	ctx, span := p.tracer.Start(ctx, name, oteltrace.WithAttributes(attributes...))
	return ctx, Span{span}
}

// End ends the span; an error is its outcome.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.RecordError(err)
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}
