package main

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/dislock/dislock/examples/dashboard/history"
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

const scrapeInterval = 15 * time.Second

// A past is what a test makes up: samples of one class, all scraped at the same times.
type past struct {
	*history.History
	from, to time.Time
}

func newPast(t *testing.T, length time.Duration) past {
	to := time.Now().Truncate(time.Second)
	return past{newHistory(t), to.Add(-length), to}
}

// add makes up a series. value is given the time since the beginning.
func (p past) add(value func(time.Duration) float64, pairs ...string) {
	set := labels.FromStrings(append(pairs, "class", "invoices", "job", "dislock", "instance", "a:9464")...)
	for at := p.from; !at.After(p.to); at = at.Add(scrapeInterval) {
		p.Add(set, at, value(at.Sub(p.from)))
	}
}

// fires reports whether the alert fires at the end: its expression has had an answer at
// every evaluation for as long as the rule says.
func (p past) fires(t *testing.T, rule rulefmt.Rule) bool {
	t.Helper()
	for at := p.to.Add(-time.Duration(rule.For)); !at.After(p.to); at = at.Add(scrapeInterval) {
		v, err := p.At(t.Context(), rule.Expr, at)
		if err != nil {
			t.Fatal(err)
		}
		if len(v) == 0 {
			return false
		}
	}
	return true
}

func never(time.Duration) float64 { return 0 }

// growing is a counter to which so many are added in a minute.
func growing(perMinute float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return perMinute * d.Minutes() }
}

// since is a counter that stands still until then.
func since(start time.Duration, perMinute float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return perMinute * max(0, d-start).Minutes() }
}

// until is a counter that stands still from then on.
func until(end time.Duration, perMinute float64) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return perMinute * min(d, end).Minutes() }
}

// once is a counter to which one was added.
func once(at time.Duration) func(time.Duration) float64 {
	return func(d time.Duration) float64 {
		if d < at {
			return 0
		}
		return 1
	}
}

// waits makes up a histogram: so many waits in a minute, all of which took between one
// second and 60.
func (p past) waits(perMinute func(time.Duration) float64) {
	p.add(never, "__name__", "dislock_wait_seconds_bucket", "le", "1")
	for _, le := range []string{"60", "+Inf"} {
		p.add(perMinute, "__name__", "dislock_wait_seconds_bucket", "le", le)
	}
	p.add(perMinute, "__name__", "dislock_wait_seconds_count")
}

func TestAlerts(t *testing.T) {
	const length = 30 * time.Minute
	rules := readRules(t)
	tested := map[string][2]bool{}
	for _, c := range []struct {
		what  string
		alert string
		fires bool
		past  func(past)
	}{
		{"one loss four minutes ago", "DislockLost", true, func(p past) {
			p.add(once(26*time.Minute), "__name__", "dislock_losses_total", "cause", "deadline")
		}},
		{"one loss ten minutes ago", "DislockLost", false, func(p past) {
			p.add(once(20*time.Minute), "__name__", "dislock_losses_total", "cause", "not_owner")
		}},
		{"only a hold that was too long", "DislockLost", false, func(p past) {
			p.add(once(28*time.Minute), "__name__", "dislock_losses_total", "cause", "max_hold")
			p.add(never, "__name__", "dislock_losses_total", "cause", "deadline")
		}},
		{"a hold that was too long", "DislockHeldTooLong", true, func(p past) {
			p.add(once(28*time.Minute), "__name__", "dislock_losses_total", "cause", "max_hold")
		}},
		{"another loss", "DislockHeldTooLong", false, func(p past) {
			p.add(never, "__name__", "dislock_losses_total", "cause", "max_hold")
			p.add(once(28*time.Minute), "__name__", "dislock_losses_total", "cause", "deadline")
		}},
		{"renewals that fail, all of them", "DislockRenewalsFail", true, func(p past) {
			p.add(since(25*time.Minute, 20), "__name__", "dislock_renewal_failures_total")
			p.add(until(25*time.Minute, 6), "__name__", "dislock_renewal_seconds_count")
		}},
		{"renewals some of which fail", "DislockRenewalsFail", false, func(p past) {
			p.add(growing(20), "__name__", "dislock_renewal_failures_total")
			p.add(growing(6), "__name__", "dislock_renewal_seconds_count")
		}},
		{"nothing to renew", "DislockRenewalsFail", false, func(p past) {
			p.add(never, "__name__", "dislock_renewal_failures_total")
			p.add(never, "__name__", "dislock_renewal_seconds_count")
		}},
		{"long waits for a quarter of an hour", "DislockWaitSlow", true, func(p past) { p.waits(since(15*time.Minute, 4)) }},
		{"long waits for three minutes", "DislockWaitSlow", false, func(p past) { p.waits(since(27*time.Minute, 4)) }},
		{"no waits", "DislockWaitSlow", false, func(p past) { p.waits(never) }},
		{"a queue that does not move", "DislockNobodyGetsIt", true, func(p past) {
			p.add(since(25*time.Minute, 4), "__name__", "dislock_waits_total", "reason", "held")
			p.waits(until(15*time.Minute, 4))
		}},
		{"a queue that moves", "DislockNobodyGetsIt", false, func(p past) {
			p.add(growing(4), "__name__", "dislock_waits_total", "reason", "held")
			p.waits(growing(4))
		}},
		{"a lock that nobody wants", "DislockNobodyGetsIt", false, func(p past) {
			p.add(never, "__name__", "dislock_waits_total", "reason", "held")
			p.waits(never)
		}},
		{"a store that is away for a quarter of an hour", "DislockStoreUnavailable", true, func(p past) {
			p.add(since(15*time.Minute, 4), "__name__", "dislock_waits_total", "reason", "unavailable")
		}},
		{"a store that was away for a moment", "DislockStoreUnavailable", false, func(p past) {
			p.add(once(27*time.Minute), "__name__", "dislock_waits_total", "reason", "unavailable")
		}},
		{"waits for holders", "DislockStoreUnavailable", false, func(p past) {
			p.add(growing(4), "__name__", "dislock_waits_total", "reason", "held")
			p.add(never, "__name__", "dislock_waits_total", "reason", "unavailable")
		}},
	} {
		p := newPast(t, length)
		c.past(p)
		rule, ok := rules[c.alert]
		if !ok {
			t.Fatalf("there is no alert %s", c.alert)
		}
		if got := p.fires(t, rule); got != c.fires {
			t.Errorf("%s fires on %s: %v, want %v", c.alert, c.what, got, c.fires)
		}
		seen := tested[c.alert]
		seen[0], seen[1] = seen[0] || c.fires, seen[1] || !c.fires
		tested[c.alert] = seen
	}
	for name := range rules {
		if tested[name] != [2]bool{true, true} {
			t.Errorf("%s is not seen both to fire and to be quiet", name)
		}
	}
}
