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

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// service is the name of the program in traces.
const service = "kube-controller-manager"

// flushTimeout bounds the sending of what was recorded before a change of the
// endpoint, and at the end.
const flushTimeout = 5 * time.Second

// sendTimeout bounds the sending of one batch.
const sendTimeout = 2 * time.Second

// Tracer makes spans. It is part of the manager, whose configuration says where
// they go. The zero value records nothing.
type Tracer struct {
	now     atomic.Pointer[provider]
	leaving sync.WaitGroup
}

type provider struct {
	*trace.TracerProvider
	tracer oteltrace.Tracer
}

// Prepare is part of manager.Part. It does not speak to the collector, so one that
// is down is no error; spans are dropped then.
func (t *Tracer) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Tracing) {
		return nil, nil, nil
	}
	next, err := open(now.Config.Tracing)
	if err != nil {
		return nil, nil, err
	}
	return func() { t.swap(next) }, func() { t.end(next) }, nil
}

func open(c v1beta1.Tracing) (*provider, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracegrpc.New(context.Background(), otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithInsecure(),
		// What cannot be sent is dropped: traces are no reason to keep anything.
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}), otlptracegrpc.WithTimeout(sendTimeout))
	if err != nil {
		return nil, fmt.Errorf("tracing.endpoint %s: %w", c.Endpoint, err)
	}
	return newProvider(exporter, c.SamplingRatePerMillion), nil
}

func newProvider(e trace.SpanExporter, perMillion int32) *provider {
	p := trace.NewTracerProvider(
		trace.WithBatcher(e),
		trace.WithSampler(trace.ParentBased(sampler{trace.TraceIDRatioBased(float64(perMillion) / 1e6)})),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
	)
	return &provider{TracerProvider: p, tracer: p.Tracer(service)}
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

func (t *Tracer) swap(next *provider) { t.end(t.now.Swap(next)) }

// end sends what a provider has still recorded, without letting anybody wait.
func (t *Tracer) end(p *provider) {
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
	t.swap(nil)
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
