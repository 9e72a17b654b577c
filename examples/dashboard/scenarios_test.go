package main

import "time"

const half, hour = 30 * time.Minute, 60 * time.Minute

// What happens in 90 minutes, and which alerts fire, from when to when.
var scenarios = []struct {
	what  string
	past  func(*past)
	fires []string
}{
	{"nothing", func(p *past) { p.pool("a", "invoices") }, nil},

	{"the store is away for half an hour, and everybody hangs in Lock", func(p *past) {
		p.pool("a", "invoices").hang(half, hour, "unavailable")
		p.pool("b", "invoices").hang(half, hour, "unavailable")
		p.pool("b", "thumbs").hang(half, hour, "held")
	}, []string{
		`DislockNobodyGetsIt{class="invoices", job="billing"} 41m45s to 59m45s`,
		`DislockNobodyGetsIt{class="thumbs", job="billing"} 41m45s to 59m45s`,
		`DislockStoreUnavailable{job="billing"} 35m15s to 59m45s`,
	}},
	{"the store is away, and those who wait give up", func(p *past) {
		p.pool("a", "invoices").giveUp(half, hour, "unavailable")
	}, []string{
		`DislockGiveUps{class="invoices", job="billing"} 49m45s to 1h0m0s`,
		`DislockNobodyGetsIt{class="invoices", job="billing"} 44m0s to 59m45s`,
		`DislockStoreUnavailable{job="billing"} 39m0s to 1h2m30s`,
	}},
	{"the store is away for a minute", func(p *past) {
		p.pool("a", "invoices").hang(half, half+time.Minute, "unavailable")
	}, nil},
	{"the store is away, and a lease of half an hour can not be renewed", func(p *past) {
		p.pool("a", "invoices").hang(half, forever, "unavailable")
		leader := p.process("billing", "b", "leader").leads()
		leader.renews(until(half, steady(0.1)))
		leader.set(within(half, hour, steady(10)), "dislock_renewal_failures_total")
		leader.set(between(time.Minute, hour, 1), "dislock_held")
		leader.set(once(hour, 1), "dislock_losses_total", "cause", "deadline")
	}, []string{
		`DislockLost{cause="deadline", class="leader", instance="b", job="billing"} 1h0m0s to 1h4m30s`,
		`DislockNobodyGetsIt{class="invoices", job="billing"} 41m45s to 1h30m0s`,
		`DislockRenewalsFail{class="leader", instance="b", job="billing"} 33m45s to 1h1m30s`,
		`DislockStoreUnavailable{job="billing"} 35m15s to 1h30m0s`,
	}},
	{"no class gets a lock, and scrapes are missed for a minute", func(p *past) {
		a := p.pool("a", "invoices").hang(half, forever, "unavailable")
		a.up = func(d time.Duration) bool { return d < 50*time.Minute || d > 51*time.Minute }
	}, []string{
		`DislockNobodyGetsIt{class="invoices", job="billing"} 41m45s to 1h30m0s`,
		`DislockStoreUnavailable{job="billing"} 35m15s to 1h30m0s`,
	}},

	{"a holder hangs for 50 minutes, and others wait", func(p *past) {
		p.pool("a", "invoices").hang(half, 80*time.Minute, "held").holds(half, 80*time.Minute)
		p.pool("a", "thumbs")
	}, []string{
		`DislockQueueStandsStill{class="invoices", job="billing"} 1h1m45s to 1h19m45s`,
	}},
	{"a holder hangs for 50 minutes, and others give up", func(p *past) {
		p.pool("a", "invoices").giveUp(half, 80*time.Minute, "held").holds(half, 80*time.Minute)
		p.pool("a", "thumbs")
	}, []string{
		`DislockGiveUps{class="invoices", job="billing"} 49m45s to 1h20m0s`,
		`DislockQueueStandsStill{class="invoices", job="billing"} 1h4m0s to 1h20m0s`,
	}},
	{"a holder hangs, and scrapes of it are missed for a minute", func(p *past) {
		p.pool("b", "invoices").hang(half, forever, "held")
		b := p.pool("a", "invoices")
		b.acquires(until(half, steady(60)), never)
		b.set(never, "dislock_waiting")
		b.holds(half, forever)
		b.up = func(d time.Duration) bool { return d < 50*time.Minute || d > 51*time.Minute }
	}, []string{
		`DislockQueueStandsStill{class="invoices", job="billing"} 1h1m45s to 1h30m0s`,
	}},
	{"a report takes 25 minutes, and others wait for it", func(p *past) {
		p.pool("a", "invoices").hang(half, 55*time.Minute, "held").holds(half, 55*time.Minute)
	}, nil},
	{"somebody who is not measured holds it", func(p *past) {
		p.pool("a", "invoices").hang(half, 80*time.Minute, "held")
		p.pool("a", "thumbs")
	}, []string{
		`DislockNobodyGetsIt{class="invoices", job="billing"} 41m45s to 1h19m45s`,
	}},
	{"most give up, and some get it", func(p *past) {
		a := p.pool("a", "invoices")
		a.increase(within(half, hour, steady(60)), "dislock_waits_total", "reason", "held")
		a.set(within(half, hour, steady(60)), "dislock_give_ups_total", "reason", "held")
	}, []string{
		`DislockGiveUps{class="invoices", job="billing"} 47m45s to 1h2m15s`,
	}},
	{"a leader leads, one standby waits from the first hour on, another gives up and comes again", func(p *past) {
		p.process("billing", "a", "leader").leads()
		b := p.process("billing", "b", "leader")
		b.set(once(hour, 1), "dislock_waits_total", "reason", "held")
		b.set(once(hour, 1), "dislock_waiting")
		c := p.process("billing", "c", "leader")
		c.set(steady(1), "dislock_waits_total", "reason", "held")
		c.set(steady(1), "dislock_give_ups_total", "reason", "held")
	}, nil},
	{"a leader leads, a standby waits, and some renewals have to be tried again", func(p *past) {
		p.process("billing", "a", "leader").leads().set(steady(1), "dislock_renewal_failures_total")
		p.process("billing", "b", "leader").set(always(1), "dislock_waiting")
	}, nil},
	{"the leader of a class that is not left out", func(p *past) {
		p.process("billing", "a", "invoices").leads()
		b := p.process("billing", "b", "invoices")
		b.set(once(40*time.Minute, 1), "dislock_waits_total", "reason", "held")
		b.set(once(40*time.Minute, 1), "dislock_waiting")
	}, []string{
		`DislockQueueStandsStill{class="invoices", job="billing"} 1h10m0s to 1h30m0s`,
	}},

	{"a deployment closes the group of one process, and starts another", func(p *past) {
		a, b := p.pool("a", "invoices"), p.pool("b", "invoices")
		a.set(once(half-scrapeInterval, 3), "dislock_losses_total", "cause", "closed")
		a.set(once(half-scrapeInterval, 3), "dislock_give_ups_total", "reason", "held")
		a.up = func(d time.Duration) bool { return d <= half }
		b.acquires(since(half, steady(60)), never)
		b.up = func(d time.Duration) bool { return d >= half }
	}, nil},
	{"a lock is lost, a minute after a maximum hold", func(p *past) {
		a := p.pool("a", "invoices")
		a.set(once(hour, 1), "dislock_losses_total", "cause", "max_hold")
		a.set(once(hour+time.Minute, 1), "dislock_losses_total", "cause", "not_owner")
		p.pool("b", "invoices").set(once(10*time.Minute, 1), "dislock_losses_total", "cause", "deadline")
	}, []string{
		`DislockHeldTooLong{cause="max_hold", class="invoices", instance="a", job="billing"} 1h0m0s to 1h4m30s`,
		`DislockLost{cause="deadline", class="invoices", instance="b", job="billing"} 10m0s to 14m30s`,
		`DislockLost{cause="not_owner", class="invoices", instance="a", job="billing"} 1h1m0s to 1h5m30s`,
	}},

	{"one process can not renew", func(p *past) {
		p.pool("a", "invoices").renews(steady(6))
		b := p.pool("b", "invoices")
		b.renews(plus(until(half, steady(6)), since(hour, steady(6))))
		b.set(within(half, hour, steady(20)), "dislock_renewal_failures_total")
	}, []string{
		`DislockRenewalsFail{class="invoices", instance="b", job="billing"} 33m45s to 1h0m0s`,
	}},
	{"one renewal fails, and there is nothing else to renew", func(p *past) {
		p.pool("a", "invoices").set(once(hour, 1), "dislock_renewal_failures_total")
	}, nil},
	{"of renewals every three minutes one fails, and succeeds at once", func(p *past) {
		a := p.process("billing", "a", "leader").leads()
		a.renews(steady(1. / 3))
		a.set(once(hour-scrapeInterval, 1), "dislock_renewal_failures_total")
	}, nil},

	{"waits of more than ten seconds for a quarter of an hour", func(p *past) {
		p.pool("a", "invoices").acquires(steady(60), within(half, 45*time.Minute, steady(4)))
	}, []string{
		`DislockWaitSlow{class="invoices", job="billing"} 35m45s to 49m0s`,
	}},
	{"waits of less than ten seconds", func(p *past) {
		p.pool("a", "invoices").set(never, "dislock_wait_seconds_bucket", "le", "1")
	}, nil},
	{"one burst of such waits", func(p *past) {
		p.pool("a", "invoices").acquires(steady(60), once(half, 20))
	}, nil},
	{"a wait of a minute for a lock of a long hold", func(p *past) {
		a := p.process("billing", "a", "invoices").leads()
		a.increase(once(hour, 3), "dislock_waits_total", "reason", "held")
		a.set(between(hour, hour+time.Minute, 3), "dislock_waiting")
		a.acquires(once(time.Minute, 1), once(hour+time.Minute, 3))
	}, nil},

	{"by OpenTelemetry: the first lock was waited for, and is held for long", func(p *past) {
		a := p.process("billing", "a", "leader")
		a.otel = true
		a.set(once(half, 1), "dislock_waits_total", "reason", "held")
		a.set(between(half, half+time.Minute, 1), "dislock_waiting")
		a.acquires(once(half+time.Minute, 1), never)
		a.set(once(half+time.Minute, 1), "dislock_held")
		a.renews(since(half+time.Minute, steady(6)))
	}, nil},
	{"by OpenTelemetry: the store is away before there was any lock", func(p *past) {
		a := p.process("billing", "a", "invoices")
		a.otel = true
		a.set(once(half, 5), "dislock_waits_total", "reason", "unavailable")
		a.set(between(half, hour, 5), "dislock_waiting")
		a.acquires(since(hour, steady(60)), once(hour, 5))
	}, []string{
		`DislockNobodyGetsIt{class="invoices", job="billing"} 40m0s to 1h0m0s`,
		`DislockStoreUnavailable{job="billing"} 35m0s to 1h0m0s`,
	}},
}
