package main

import "time"

// A pool of workers gets a lock of its class once a second.
func (p *past) pool(instance, class string) *process {
	s := p.process("billing", instance, class)
	s.acquires(steady(60), never)
	s.set(steady(30), "dislock_waits_total", "reason", "held")
	s.set(always(3), "dislock_waiting")
	s.set(always(1), "dislock_held")
	return s
}

// hang lets it get no lock from one time to another, while five wait in Lock: for
// who holds it, or for the store.
func (s *process) hang(from, to time.Duration, reason string) *process {
	s.acquires(except(from, to, steady(60)), once(to, 5))
	s.set(except(from, to, steady(30)), "dislock_waits_total", "reason", "held")
	s.increase(once(from+scrapeInterval, 5), "dislock_waits_total", "reason", reason)
	s.set(plus(always(3), between(from, to, 2)), "dislock_waiting")
	s.set(plus(between(0, from, 1), between(to, forever, 1)), "dislock_held")
	return s
}

// giveUp is hang with bounds: five come every four minutes, and give up so soon that
// no scrape sees them wait.
func (s *process) giveUp(from, to time.Duration, reason string) *process {
	s.acquires(except(from, to, steady(60)), never)
	s.set(except(from, to, steady(30)), "dislock_waits_total", "reason", "held")
	inVain := func(d time.Duration) float64 { return 5 * within(from, to, steady(0.25))(d) }
	s.increase(inVain, "dislock_waits_total", "reason", reason)
	s.set(inVain, "dislock_give_ups_total", "reason", reason)
	s.set(plus(between(0, from, 3), between(to, forever, 3)), "dislock_waiting")
	s.set(plus(between(0, from, 1), between(to, forever, 1)), "dislock_held")
	return s
}

// holds has the one who holds it hang, and be renewed.
func (s *process) holds(from, to time.Duration) {
	s.set(always(1), "dislock_held")
	s.renews(within(from, to, steady(6)))
}

// leads holds from the first minute on, and is renewed.
func (s *process) leads() *process {
	s.acquires(once(time.Minute, 1), never)
	s.set(once(time.Minute, 1), "dislock_held")
	s.renews(since(time.Minute, steady(6)))
	return s
}
