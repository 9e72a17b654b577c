package history

import (
	"math"
	"time"
)

// A hand is a goroutine as one key sees it.
type hand struct {
	name    handName
	waits   bool
	asked   int64
	inside  bool
	section *section // the last one
}

type handName struct {
	process string
	number  int
	key     string
}

type leaseName struct {
	process, key string
	fence        uint64
}

// A reader makes sections of records.
type reader struct {
	*checker
	usages map[string]*usage
	hands  map[handName]*hand
	leases map[leaseName]*lease
	last   map[string]int64 // the last word of each process
}

// readHands returns what was done with each key, and checks what needs no look at
// other hands.
func (c *checker) readHands(ordered []*Record) map[string]*usage {
	r := &reader{c, make(map[string]*usage), make(map[handName]*hand), make(map[leaseName]*lease), make(map[string]int64)}
	for _, record := range ordered {
		switch record.What {
		case Asked, Entered, Holds, Left, Told, GaveUp:
			r.last[record.Process] = record.At
			r.readHand(record)
		case Trust:
			r.last[record.Process] = record.At
			l := r.lease(record)
			l.until, l.known = max(l.until, record.Until), true
		case Refused:
			r.last[record.Process] = record.At
			c.report.Refused++
		case Fault, Forgot:
		default:
			c.accuse(record.At, Recorded, "%s: a record says %q, which means nothing", c.when(record.At), record.What)
		}
	}
	for _, h := range r.hands {
		if h.waits {
			r.waited(h, r.last[h.name.process])
		}
		if h.waits || h.inside {
			r.present(h, math.MaxInt64)
		}
	}
	return r.usages
}

func (r *reader) readHand(record *Record) {
	h := r.hand(record)
	s := h.section
	if known := s != nil && s.fence == record.Fence; !known || !h.inside && !(record.What == Told && s.left) {
		s = nil // not of the section that the hand is in, or of which it may still be told a loss
	}
	switch record.What {
	case Asked:
		if !h.waits {
			h.waits, h.asked = true, record.At
		}
	case GaveUp:
		if !h.waits {
			r.malformed(record, "it had not asked")
			return
		}
		r.waited(h, record.At)
		r.present(h, record.At+r.ttl)
		h.waits = false
	case Entered:
		r.enter(h, record)
	case Holds, Left:
		if s == nil {
			r.malformed(record, "it was in no such section")
			return
		}
		r.believe(s, record)
		if record.What == Left {
			s.left, h.inside = true, false
			r.present(h, record.At+r.ttl)
		}
	case Told:
		switch {
		case s != nil && !s.told:
			r.tell(s, record)
			h.inside = false
			r.present(h, record.At+r.ttl)
		case h.section == nil || h.section.fence != record.Fence:
			r.malformed(record, "it was in no such section")
		}
	}
}

func (r *reader) enter(h *hand, record *Record) {
	switch {
	case h.inside:
		r.malformed(record, "its last section had not ended")
	case !h.waits:
		r.malformed(record, "it had not asked")
	}
	if !h.waits {
		h.asked = record.At
	}
	l, u := r.lease(record), r.usage(record.Key)
	if !l.held {
		l.held, l.asked, l.from, l.to = true, h.asked, record.At, record.At
		u.leases = append(u.leases, l)
	}
	h.section = &section{lease: l, hand: record.Hand, from: record.At}
	u.sections = append(u.sections, h.section)
	r.waited(h, record.At)
	h.inside, h.waits = true, false
	r.report.Sections++
	r.report.LongestWait = max(r.report.LongestWait, time.Duration(record.At-h.asked))
	r.believe(h.section, record)
}

// waited notes that a hand has waited until at.
func (r *reader) waited(h *hand, at int64) {
	if h.waits {
		u := r.usage(h.name.key)
		u.waits[h.name.process] = append(u.waits[h.name.process], span{h.asked, at})
	}
}

// present notes that a hand, from when it asked, may have had to do with the key.
func (r *reader) present(h *hand, until int64) {
	u := r.usage(h.name.key)
	u.present[h.name.process] = append(u.present[h.name.process], span{h.asked, until})
}

func (r *reader) malformed(record *Record, why string) {
	r.accuse(record.At, Recorded, "%s: %s/%d says %q of key %q with fence %d, but %s",
		r.when(record.At), record.Process, record.Hand, record.What, record.Key, record.Fence, why)
}

func (r *reader) hand(record *Record) *hand {
	return entry(r.hands, handName{record.Process, record.Hand, record.Key}, func(n handName) *hand { return &hand{name: n} })
}

func (r *reader) lease(record *Record) *lease {
	return entry(r.leases, leaseName{record.Process, record.Key, record.Fence}, func(n leaseName) *lease {
		return &lease{process: n.process, fence: n.fence}
	})
}

func (r *reader) usage(key string) *usage {
	return entry(r.usages, key, func(string) *usage {
		return &usage{key: key, waits: make(map[string][]span), present: make(map[string][]span)}
	})
}

// entry returns what m has for name, made if there is nothing.
func entry[N comparable, E any](m map[N]*E, name N, make func(N) *E) *E {
	e := m[name]
	if e == nil {
		e = make(name)
		m[name] = e
	}
	return e
}
