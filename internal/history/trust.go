package history

// believe notes that Err was nil just after a record. What the store had granted by
// then is known, because it is recorded before anybody can rely on it. There is no
// slack: a lock that reads its clocks does not say nil after the deadline, however
// busy the machine is.
func (r *reader) believe(s *section, record *Record) {
	s.to, s.lease.to = record.At, max(s.lease.to, record.At)
	switch {
	case s.distrusted:
		return
	case !s.known:
		r.accuse(record.At, Trusted, "%s: %v believes that it has key %q, which the store had not granted it",
			r.when(record.At), s, record.Key)
	case record.At >= s.until:
		r.accuse(record.At, Trusted, "%s: %v believes that it has key %q, but could trust in that until %s only",
			r.when(record.At), s, record.Key, r.when(s.until))
	default:
		return
	}
	s.distrusted = true // once is enough
}

// tell notes that a hand was told of a loss.
//
// It was to be told by when the lease could no longer be trusted; but after it had
// let go, an Unlock asks on for an answer, and nobody believes anything meanwhile.
//
// A loss has its reason since the last renewal that was answered: no other one was,
// or the store had forgotten the lease. That renewal was sent, or the grant made, a
// ttl before the lease ends, or later if it is short; Slack is for a grant of which
// the process knows no more than when it heard of it.
func (r *reader) tell(s *section, record *Record) {
	s.told = true
	if !s.known {
		return // accused of that already
	}
	if late := record.At - s.until; late > r.slack && !s.left &&
		r.stops[s.process].count(span{s.until - r.slack, record.At}) == 0 {
		r.accuse(record.At, Trusted, "%s: %v is told that it has lost key %q, %s after it could trust in having it",
			r.when(record.At), s, record.Key, seconds(late))
	}
	since := span{s.until - r.ttl - r.slack, record.At}
	if !r.hidden(s.process, since) && !r.forgotten(record.Key, since) {
		r.accuse(record.At, Founded, "%s: %v is told that it has lost key %q, but since %s nothing was done to it or to the store",
			r.when(record.At), s, record.Key, r.when(since.from))
	}
}
