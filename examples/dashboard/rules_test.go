package main

import (
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/template"
)

// readRules returns the alerts by name, as Prometheus reads and checks them.
func readRules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	content, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(content, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	rules := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			rules[rule.Alert] = rule
		}
	}
	return rules
}

// A firing is an alert from when to when it fires, counted from the beginning.
type firing struct {
	name     string
	labels   labels.Labels
	from, to time.Duration
}

func (f firing) String() string { return fmt.Sprintf("%s%v %v to %v", f.name, f.labels, f.from, f.to) }

// firings evaluates the alert at every scrape, as a rule manager does: it fires when
// its expression has had an answer with the same labels for as long as the rule says.
func (p *past) firings(t *testing.T, rule rulefmt.Rule) (found []firing) {
	t.Helper()
	m, err := p.Range(t.Context(), rule.Expr, p.from, p.from.Add(pastLength), scrapeInterval)
	if err != nil {
		t.Fatal(err)
	}
	for _, series := range m {
		var began, last time.Duration
		end := func() {
			if from := began + time.Duration(rule.For); from <= last {
				found = append(found, firing{rule.Alert, series.Metric, from, last})
			}
		}
		for i, f := range series.Floats {
			at := time.UnixMilli(f.T).Sub(p.from)
			switch {
			case i == 0:
				began = at
			case at > last+scrapeInterval:
				end()
				began = at
			}
			last = at
		}
		end()
	}
	return found
}

// say returns what an annotation says about a sample, as a rule manager expands it.
func say(t *testing.T, text string, set labels.Labels, value float64) string {
	t.Helper()
	const begin = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	data := template.AlertTemplateData(set.Map(), nil, "", promql.Sample{Metric: set, F: value})
	said, err := template.NewTemplateExpander(t.Context(), begin+text, "alert", data, model.Now(), nil, nil, nil).Expand()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return said
}
