package main

import (
	"net/http"

	locks "github.com/dislock/dislock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newMetrics returns what a program adds to measure its locks: one Metrics for all
// of them, and the page from which Prometheus reads.
func newMetrics() (http.Handler, *locks.Metrics) {
	registry := prometheus.NewRegistry()
	m := locks.New(registry)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux, m
}
