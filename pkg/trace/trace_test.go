// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestReloadsAreRecordedAndSyncsInPart(t *testing.T) {
	testkit.NoLeaks(t)
	exporter := tracetest.NewInMemoryExporter()
	var tr Tracer
	defer tr.Close()
	tr.Switch(newDestination(exporter, 0))
	ctx, whole := tr.Reload(context.Background(), "abc")
	_, step := tr.Step(ctx, "build", "controller", "job-controller")
	step.End(nil)
	whole.End(errors.New("refused"))
	_, sync := tr.Sync(context.Background(), "job-controller", "job", "ns/a")
	sync.End(nil)
	if err := tr.now.Load().ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	spans := exporter.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want a reload and its step", len(spans))
	}
	build, reload := spans[0], spans[1]
	if build.Name != "build" || reload.Name != "reload" || build.Parent.SpanID() != reload.SpanContext.SpanID() {
		t.Errorf("%q under %q", build.Name, reload.Name)
	}
	if reload.Status.Code != codes.Error || reload.Status.Description != "refused" {
		t.Errorf("the reload ended with %+v", reload.Status)
	}

	// The end of the first destination empties its exporter, some time.
	exporter = tracetest.NewInMemoryExporter()
	tr.Switch(newDestination(exporter, 1_000_000))
	_, sync = tr.Sync(context.Background(), "job-controller", "job", "ns/a")
	sync.End(nil)
	if err := tr.now.Load().ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if spans := exporter.GetSpans(); len(spans) != 1 || spans[0].Name != "sync" || len(spans[0].Attributes) != 3 {
		t.Errorf("with all syncs recorded: %+v", spans)
	}
}

func TestWithoutAnEndpointASpanCostsNothing(t *testing.T) {
	var tr Tracer
	ctx := context.Background()
	var key any = "ns/a"
	if n := testing.AllocsPerRun(100, func() {
		_, s := tr.Sync(ctx, "job-controller", "job", key)
		s.End(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, s := (*Tracer)(nil).Reload(ctx, "x"); s != (Span{}) {
		t.Error("no tracer recorded something")
	}
}

func TestACollectorThatIsDownIsNoError(t *testing.T) {
	testkit.NoLeaks(t)
	p, err := Open(v1beta1.Tracing{Endpoint: "127.0.0.1:1", SamplingRatePerMillion: 1})
	if err != nil {
		t.Fatal(err)
	}
	var tr Tracer
	tr.Switch(p)
	_, s := tr.Reload(context.Background(), "x")
	s.End(nil)
	tr.Close()
}
