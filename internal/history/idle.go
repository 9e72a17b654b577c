package history

import "slices"

// checkIdle checks [Idle].
//
// A window is a time in which nobody has the key, and always somebody waits who is
// not hit by a fault. What can be in the way of those who wait is a key that is
// nobody's: its holder died, its release was lost, it was given to somebody who does
// not hear of it. Each of these ends by itself after a ttl. There may be one without
// a fault; another one takes a fault, each one, on the store or on a process that has
// to do with the key. Who is hit and asks all the same, but does not hear the
// answers, prolongs what it does not know of, so the time of its fault is allowed as
// well. That of a fault on the store is nobody's.
func (c *checker) checkIdle(k *usage) {
	var waits []span
	for process, all := range k.waits {
		waits = append(waits, without(union(all), union(c.faults[process].spans()))...)
	}
	present := make(map[string][]span)
	for process, all := range k.present {
		present[process] = union(all)
	}
	down := union(c.faults[""].spans())
	for _, w := range without(union(waits), c.held(k)) {
		if w.length() <= c.ttl+c.slack {
			continue // which is nearly always
		}
		idle := total(without([]span{w}, down))
		hits, beside := c.faults[""].count(w), int64(0)
		near := span{w.from - c.ttl, w.to}
		for process, there := range present {
			for _, f := range c.faults[process].spans() {
				if f.touches(near) && slices.ContainsFunc(there, f.touches) {
					hits++
					beside += f.common(w)
				}
			}
		}
		if most := c.ttl*int64(1+hits) + beside + c.slack; idle > most {
			c.accuse(w.from, Idle, "from %s to %s nobody has key %q, %s of that with the store in order, though somebody waits; at most %s can be explained, by %d faults",
				c.when(w.from), c.when(w.to), k.key, seconds(idle), seconds(most), hits)
		}
	}
}

// held returns when somebody had the key. One who did not unlock had it at least
// when the last renewal was sent that was answered, which may be after its last
// record: from then on the ttl counts.
func (c *checker) held(k *usage) []span {
	var all []span
	for _, s := range k.sections {
		to := s.to
		if !s.left {
			to = max(to, s.until-c.ttl)
		}
		all = append(all, span{s.from, to})
	}
	return union(all)
}
