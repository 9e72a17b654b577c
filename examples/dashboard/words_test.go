package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	locks "github.com/dislock/dislock/metrics/prometheus"
)

// What the tests of the alerts make up is what a program exports.
func TestMadeUpSeriesAreReal(t *testing.T) {
	registry := prometheus.NewRegistry()
	locks.New(registry).Hooks("invoices")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[metric]bool{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series := metric{name: family.GetName()}
			for _, label := range m.GetLabel() {
				if label.GetName() != "class" {
					series.label, series.value = label.GetName(), label.GetValue()
				}
			}
			exported[series] = true
			for _, bucket := range m.GetHistogram().GetBucket() {
				le := strconv.FormatFloat(bucket.GetUpperBound(), 'g', -1, 64)
				exported[metric{series.name + "_bucket", "le", le}] = true
				exported[metric{series.name + "_count", "", ""}] = true
			}
		}
	}
	for made := range newPast(t).process("billing", "a", "invoices").values {
		if made.value != "+Inf" && !exported[made] {
			t.Errorf("nobody exports %v", made)
		}
	}
}

// The modules share nothing, and dashboard and alerts fit both: so they use the same
// words for causes, and the same buckets.
func TestModulesAgree(t *testing.T) {
	words := func(module string) []string {
		files, err := os.ReadDir("../../metrics/" + module)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
				continue
			}
			source, err := os.ReadFile("../../metrics/" + module + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range regexp.MustCompile(`cause\w+ += "\w+"|(?s)var buckets = .*?}`).FindAllString(string(source), -1) {
				found[word] = true
			}
		}
		return slices.Sorted(maps.Keys(found))
	}
	a, b := words("prometheus"), words("otel")
	if len(a) != 5 || !slices.Equal(a, b) {
		t.Errorf("prometheus has %q, and otel %q; want the same four causes, and buckets", a, b)
	}
}
