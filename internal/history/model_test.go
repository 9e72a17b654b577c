package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// A model is a store, processes that lock on it, and what happens to them, in a
// time of its own. Its lock is right, but for the one flaw that it may be given.
type model struct {
	*rand.Rand
	flaw  string
	calm  int // the odds against trouble
	now   int64
	keys  [2]place
	fence uint64
	down  int64 // until when the store does not answer
	crew  []*worker
	born  int
	story story
}

// The flaws of a lock, and the rule that each breaks.
const (
	flawless    = ""
	grantsTwice = Exclusion + ": the store grants what is held"
	endsOthers  = Exclusion + ": who lost the lease ends that of the next"
	expiresSoon = Exclusion + ": the store lets a lease end before the holder does"
	fencesFall  = Fences + ": a fence is smaller than the last"
	fencesMeet  = Fences + ": two leases have one fence"
	trustsLong  = Trusted + ": the holder believes for too long"
	tellsLate   = Trusted + ": the holder is told late"
	keepsAll    = Idle + ": a lease that nobody ends does not end"
	losesAny    = Founded + ": a holder is told of a loss that there was not"
)

// A place is what the store knows of a key.
type place struct {
	owner *token
	until int64
}

// A token is one acquisition, and what its process knows of the lease.
type token struct {
	key      int
	fence    uint64
	deadline int64 // of trust
	due      int64 // for a renewal
	lost     bool
}

const (
	claim  = 400 * ms
	margin = 10 * ms
)

// simulate returns the story of a time.
func simulate(seed uint64, flaw string, lasts int64) story {
	m := &model{Rand: rand.New(rand.NewPCG(seed, 1)), flaw: flaw}
	m.calm = 500 << m.IntN(4)
	for range 3 {
		m.hire()
	}
	for tick := int64(0); tick < lasts; tick += 2 * ms {
		m.now = max(tick, m.now)
		m.trouble()
		m.Shuffle(len(m.crew), func(i, j int) { m.crew[i], m.crew[j] = m.crew[j], m.crew[i] })
		for _, w := range m.crew {
			if m.now >= w.frozen {
				w.work()
			}
		}
	}
	return m.story
}

func (m *model) hire() {
	m.born++
	w := &worker{model: m, name: fmt.Sprint("p", m.born)}
	for i := range w.hands {
		w.hands[i] = &worksHand{number: i}
	}
	m.crew = append(m.crew, w)
}

// next is the instant of what happens next: no two share one.
func (m *model) next() int64 {
	m.now++
	return m.now
}

func (m *model) upTo(d int64) int64 { return m.Int64N(d) }

// trouble does something to somebody, every one to eight seconds or so.
func (m *model) trouble() {
	if m.IntN(m.calm) > 0 {
		return
	}
	i := m.IntN(len(m.crew))
	w, at, lasts := m.crew[i], m.next(), m.upTo(2*ttl)
	switch m.IntN(6) {
	case 0:
		w.frozen = at + lasts
	case 1:
		w.cut = at + lasts
	case 2:
		m.crew = slices.Delete(m.crew, i, i+1)
		m.hire()
		lasts = 0
	case 3:
		m.down = max(m.down, at+lasts)
		m.story = append(m.story, fault("", at, lasts)...)
		return
	case 4:
		before, after := m.upTo(20*ms), m.upTo(20*ms)
		m.story = append(m.story, forgot("", at-before, before+after)...)
		m.keys = [2]place{}
		return
	case 5:
		k := m.IntN(2)
		m.story = append(m.story, forgot(fmt.Sprint(k), at, 0)...)
		m.keys[k] = place{}
		return
	}
	hit := fault(w.name, at, lasts)
	hit[0].Stops = w.frozen == at+lasts
	m.story = append(m.story, hit...)
}

// reach reports whether a request arrives at the store, and its answer at the worker.
func (m *model) reach(w *worker) (arrives, answered bool) {
	if m.now < m.down || m.now < w.cut {
		return m.IntN(2) == 0, false
	}
	return true, true
}

// owns reports whether the store knows the lease.
func (m *model) owns(t *token) bool {
	p := &m.keys[t.key]
	if m.now >= p.until && m.flaw != keepsAll {
		p.owner = nil
	}
	return p.owner == t
}

// grant gives the key, or more of it, to who asks for it, if it may have it.
func (m *model) grant(w *worker, t *token) (granted bool) {
	lasts := []int64{claim, ttl}[m.IntN(2)]
	arrives, answered := m.reach(w)
	if !arrives {
		return false
	}
	sent := m.next()
	p := &m.keys[t.key]
	if !m.owns(t) {
		if p.owner != nil && !(m.flaw == grantsTwice && m.IntN(100) == 0) {
			return false
		}
		m.fence++
		t.fence = 10 * m.fence
		if m.flaw == fencesFall && m.IntN(20) == 0 {
			t.fence -= 25
		}
		if m.flaw == fencesMeet && m.IntN(20) == 0 {
			t.fence -= 10
		}
	}
	m.keep(p, t, sent+lasts)
	if answered {
		w.trust(t, sent, lasts)
	}
	return answered
}

func (m *model) keep(p *place, t *token, until int64) {
	*p = place{t, until}
	if m.flaw == expiresSoon {
		p.until -= (until - m.now) * 3 / 4
	}
}

// renew prolongs a lease, or learns that it is gone.
func (m *model) renew(w *worker, t *token) {
	t.due = m.now + ttl/20
	arrives, answered := m.reach(w)
	sent, owns := m.next(), m.owns(t)
	if arrives && owns {
		m.keep(&m.keys[t.key], t, sent+ttl)
	}
	switch {
	case answered && owns:
		w.trust(t, sent, ttl)
	case answered:
		t.lost = true
	}
}

// end gives the key back. It reports whether there was an answer, and sets lost.
func (m *model) end(w *worker, t *token) (answered bool) {
	arrives, answered := m.reach(w)
	m.next()
	owns := m.owns(t)
	if arrives && (owns || m.flaw == endsOthers) {
		m.keys[t.key] = place{}
	}
	t.lost = t.lost || answered && !owns
	return answered
}
