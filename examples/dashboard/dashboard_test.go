package main

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dislock/dislock/examples/dashboard/history"
)

// patience bounds the wait for everything that goes wrong to have gone wrong, which
// takes some ten seconds.
const patience = 40 * time.Second

// Every query of the dashboard has something to show of the running example, and the
// alert of a loss fires.
func TestEveryQueryReturnsData(t *testing.T) {
	t.Parallel()
	board, rules := readBoard(t), readRules(t)
	url := start(t, "-every", "500ms")
	h := newHistory(t)

	began := time.Now()
	var missing []string
	for time.Since(began) < patience {
		if err := h.Scrape(t.Context(), url, "dislock", "127.0.0.1:9464"); err != nil {
			t.Fatal(err)
		}
		if missing = missingFrom(t, h, board, time.Since(began)); len(missing) == 0 {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	for _, what := range missing {
		t.Errorf("nothing to show: %s", what)
	}
	for _, name := range []string{"DislockLost", "DislockHeldTooLong"} {
		v, err := h.At(t.Context(), rules[name].Expr, time.Now())
		if err != nil || len(v) == 0 {
			t.Errorf("%s does not fire after a loss: %v", name, err)
		}
	}
	t.Logf("it took %v", time.Since(began))
}

// missingFrom returns the queries of which nothing is above 0.
func missingFrom(t *testing.T, h *history.History, board history.Board, shown time.Duration) (missing []string) {
	t.Helper()
	queries := map[string]string{ // and what no panel tells apart
		"losses by deadline":          `sum(increase(dislock_losses_total{cause="deadline"}[5m]))`,
		"losses by not_owner":         `sum(increase(dislock_losses_total{cause="not_owner"}[5m]))`,
		"losses by max_hold":          `sum(increase(dislock_losses_total{cause="max_hold"}[5m]))`,
		"waits for a holder":          `sum(increase(dislock_waits_total{reason="held"}[5m]))`,
		"waits because of the store":  `sum(increase(dislock_waits_total{reason="unavailable"}[5m]))`,
		"give-ups for a holder":       `sum(increase(dislock_give_ups_total{reason="held"}[5m]))`,
		"give-ups for the store":      `sum(increase(dislock_give_ups_total{reason="unavailable"}[5m]))`,
		"locks that nobody waits for": `sum(increase(dislock_wait_seconds_count{class="thumbs"}[5m]))`,
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			q := target.Query(time.Minute, max(shown.Truncate(time.Second), time.Minute))
			if strings.Contains(q, "$") {
				t.Fatalf("%s: an unknown variable in %s", p.Title, q)
			}
			queries[p.Title+": "+q] = q
		}
	}
	if len(queries) < 20 {
		t.Fatalf("%d queries, want at least 20", len(queries))
	}
	for what, q := range queries {
		v, err := h.At(t.Context(), q, time.Now())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		shows := false
		for _, s := range v {
			shows = shows || s.F > 0 && !math.IsInf(s.F, 0)
		}
		if !shows {
			missing = append(missing, what)
		}
	}
	return missing
}

// While nothing goes wrong, no alert fires.
func TestNoAlertWithoutFaults(t *testing.T) {
	t.Parallel()
	url := start(t, "-every", "0")
	h := newHistory(t)
	began := time.Now()
	for renewed := false; !renewed || time.Since(began) < 3*time.Second; time.Sleep(250 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("nothing was renewed")
		}
		if err := h.Scrape(t.Context(), url, "dislock", "127.0.0.1:9464"); err != nil {
			t.Fatal(err)
		}
		v, err := h.At(t.Context(), `sum(rate(dislock_renewal_seconds_count[1m])) > 0`, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		renewed = len(v) > 0
	}
	for name, rule := range readRules(t) {
		v, err := h.At(t.Context(), rule.Expr, time.Now())
		if err != nil || len(v) > 0 {
			t.Errorf("%s: %v, %v; want nothing", name, v, err)
		}
	}
}

func newHistory(t *testing.T) *history.History {
	t.Helper()
	h := history.New()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}
