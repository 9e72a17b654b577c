package main

import (
	"errors"
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Each field of the dashboard is one that Grafana's own types have, and of its type,
// also in the options of its panels and queries, and none that they require is missing.
func TestGrafanaKnowsEveryField(t *testing.T) {
	known := cog.NewRuntime() // what it does not know, it does not check
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	for _, p := range readBoard(t).Panels {
		if _, ok := known.ConfigForPanelcfgVariant(p.Kind); !ok {
			t.Errorf("%s is a %s", p.Title, p.Kind)
		}
	}
	content, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 the second schema is for Grafana 12 and later, and this one for all
	var board dashboard.Dashboard
	var faults cog.BuildErrors
	switch err := board.UnmarshalJSONStrict(content); {
	case errors.As(err, &faults) && len(faults) == 0: // this is its nil
	case err != nil:
		t.Fatal(err)
	}
	if err := board.Validate(); err != nil {
		t.Fatal(err)
	}
}
