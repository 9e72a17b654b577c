package otel_test

import (
	"context"
	"fmt"
	"log"

	"github.com/dislock/dislock"
	"github.com/dislock/dislock/backend/memory"
	"github.com/dislock/dislock/metrics/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func ExampleTelemetry_Lock() {
	spans := tracetest.NewSpanRecorder()
	traces := trace.NewTracerProvider(trace.WithSpanProcessor(spans)) // or otel.GetTracerProvider()
	meters := metric.NewMeterProvider()                               // or otel.GetMeterProvider()

	locks, err := otel.New(meters, traces)
	if err != nil {
		log.Fatal(err)
	}
	mu := dislock.New(memory.New(), "invoices:2026-11", dislock.WithHooks(locks.Hooks("invoices")))

	ctx, request := traces.Tracer("billing").Start(context.Background(), "POST /invoices")
	lease, err := locks.Lock(ctx, "invoices", mu)
	if err != nil {
		log.Fatal(err)
	}
	if err := lease.Unlock(ctx); err != nil {
		log.Print(err)
	}
	request.End()

	for _, s := range spans.Ended() {
		fmt.Println(s.Name(), s.Parent().SpanID() == request.SpanContext().SpanID())
	}
	// Output:
	// dislock.wait true
	// dislock.hold true
	// POST /invoices false
}
