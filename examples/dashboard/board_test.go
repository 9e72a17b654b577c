package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/units"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/dislock/dislock/examples/dashboard/history"
)

func readBoard(t *testing.T) history.Board {
	t.Helper()
	board, err := history.ReadBoard("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	return board
}

var chosen = history.Datasource{Type: "prometheus", UID: "${datasource}"}

// Panels are told apart by their ids, and none covers another.
func TestPlaces(t *testing.T) {
	const width = 24
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range readBoard(t).Panels {
		if other, ok := ids[p.ID]; ok || p.ID < 1 {
			t.Errorf("%s has the id %d of %s", p.Title, p.ID, other)
		}
		ids[p.ID] = p.Title
		if p.Description == "" {
			t.Errorf("%s is not described", p.Title)
		}
		if g := p.GridPos; g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > width {
			t.Errorf("%s is at %v", p.Title, g)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s covers %s at %d, %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	height := len(taken) / width
	for x := range width {
		for y := range height {
			if taken[[2]int{x, y}] == "" {
				t.Fatalf("there is a hole at %d, %d", x, y)
			}
		}
	}
}

// Whoever looks chooses a data source, and then jobs, instances and classes of those
// that are there.
func TestVariables(t *testing.T) {
	want := map[string]string{
		"datasource": "prometheus",
		"job":        "label_values(dislock_held, job)",
		"instance":   `label_values(dislock_held{job=~"$job"}, instance)`,
		"class":      `label_values(dislock_held{job=~"$job"}, class)`,
	}
	for _, v := range readBoard(t).Templating.Variables {
		source := v.Source
		if query, ok := source.(map[string]any); ok {
			source = query["query"]
			if v.Definition != source || v.Datasource != chosen || !v.Multi || !v.IncludeAll || v.AllValue != ".*" {
				t.Errorf("%+v, want one of the data source with several values, or all", v)
			}
		}
		if source != want[v.Name] {
			t.Errorf("%s is of %v, want %q", v.Name, source, want[v.Name])
		}
		delete(want, v.Name)
	}
	for name := range want {
		t.Errorf("there is no variable %s", name)
	}
}

// Every series in a query is one of the chosen ones, and a closed group is no loss.
func TestQueriesSelectWhatIsChosen(t *testing.T) {
	for _, p := range readBoard(t).Panels {
		for _, target := range p.Targets {
			if p.Datasource != chosen || target.Datasource != chosen {
				t.Errorf("%s asks %v and %v, want %v", p.Title, p.Datasource, target.Datasource, chosen)
			}
			query := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h").Replace(target.Expr)
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
			if err != nil {
				t.Fatalf("%s: %v", p.Title, err)
			}
			for _, selector := range parser.ExtractSelectors(expr) {
				want := []string{`class=~"$class"`, `instance=~"$instance"`, `job=~"$job"`}
				var got []string
				for _, m := range selector {
					switch {
					case m.Name != model.MetricNameLabel:
						got = append(got, m.String())
					case m.Value == "dislock_losses_total":
						want = append([]string{`cause!="closed"`}, want...)
					}
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s selects %v, want %v", p.Title, got, want)
				}
			}
		}
	}
}

// The unit is that of what a query returns, and a quantile is called by its name.
func TestUnitsAndQuantiles(t *testing.T) {
	quantile := regexp.MustCompile(`^histogram_quantile\(0\.(\d+), .*_seconds_bucket`)
	share := regexp.MustCompile(`^clamp_max\(.* / .*, 1\)$`)
	perSecond := regexp.MustCompile(`^sum( by \(class\) )?\(rate\(`)
	for _, p := range readBoard(t).Panels {
		var quantiles []string
		for _, target := range p.Targets {
			want := units.NoUnit
			switch q := quantile.FindStringSubmatch(target.Expr); {
			case q != nil:
				want = units.Seconds
				name := "p" + (q[1] + "0")[:2] // 0.5 is p50
				quantiles = append(quantiles, name)
				if !strings.HasSuffix(target.Legend, " "+name) {
					t.Errorf("%s calls %s %q", p.Title, name, target.Legend)
				}
			case share.MatchString(target.Expr):
				want = units.PercentUnit
			case perSecond.MatchString(target.Expr):
				want = units.OpsPerSecond
			}
			if p.Field.Defaults.Unit != want {
				t.Errorf("%s is in %q, want %q", p.Title, p.Field.Defaults.Unit, want)
			}
		}
		if strings.Contains(p.Targets[0].Expr, "_bucket") && fmt.Sprint(quantiles) != "[p50 p99]" {
			t.Errorf("%s shows %v, want p50 and p99", p.Title, quantiles)
		}
	}
}
