package topology

import (
	"sync"
	"time"

	"github.com/dislock/dislock"
)

// A resource is what a lock guards. It has two witnesses of exclusion that trust no
// fence: those who are inside and believe at the same instant to hold the lock, and
// a number that each of them reads, and sets to one more when it leaves. Its
// gate believes nobody and looks at the fence alone.
type resource struct {
	mu     sync.Mutex
	inside map[*dislock.Lease]bool
	tokens map[uint64]string // by fence: nobody else may come with it
	last   *visit            // whom the gate let in last
	gate   gate

	number    int // as those who hold the lock by their own belief set it
	additions int // so many times

	sections []section
	doubles  []double
	late     []time.Time // when the gate did not let somebody in
	left     time.Time   // when somebody left last
	stale    int         // writes of those after whom somebody was let in
	refused  int         // of these, which the gate refused
	lost     int         // who was told inside
	twice    int         // fences that somebody else had had
	wrong    []string
}

// A gate is the fence as a store would check it.
type gate struct{ latest uint64 }

func (g *gate) enter(fence uint64) bool {
	if fence <= g.latest {
		return false
	}
	g.latest = fence
	return true
}

func (g *gate) write(fence uint64) bool { return fence >= g.latest }

// A section is one stay of somebody whom the gate let in.
type section struct {
	entered time.Time
	gap     time.Duration // since the one before had left
}

// A double is two who believe at the same instant to hold the lock.
type double struct {
	at            time.Time
	first, second *dislock.Lease
}

// A visit is one holder's stay.
type visit struct {
	resource *resource
	lease    *dislock.Lease
	read     int
	let      bool
	doubled  bool
}

func newResource() *resource {
	return &resource{inside: make(map[*dislock.Lease]bool), tokens: make(map[uint64]string)}
}

func (r *resource) enter(l *dislock.Lease) *visit {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := &visit{resource: r, lease: l, read: r.number}
	if token, ok := r.tokens[l.Fence()]; ok && token != l.Token() {
		r.twice++
	}
	r.tokens[l.Fence()] = l.Token()
	v.compare()
	r.inside[l] = true
	now := time.Now()
	if v.let = r.gate.enter(l.Fence()); !v.let {
		r.late = append(r.late, now)
		return v
	}
	r.last = v
	r.sections = append(r.sections, section{now, now.Sub(r.left)})
	return v
}

// leave writes, and comes before the lock is released.
func (v *visit) leave() {
	r := v.resource
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inside, v.lease)
	v.compare()
	if v.let {
		accepted := r.gate.write(v.lease.Fence())
		switch {
		case r.last != v && accepted:
			r.stale++
			r.wrong = append(r.wrong, "a stale write was accepted")
		case r.last != v:
			r.stale++
			r.refused++
		case !accepted:
			r.wrong = append(r.wrong, "the latest holder's write was refused")
		}
	}
	r.left = time.Now()
	if v.lease.Err() != nil {
		r.lost++
		return
	}
	r.additions++
	r.number = v.read + 1
}

// compare looks for others inside who believe to hold the lock now. Who is asked
// second still holds it, and held it already when the first was asked, because it
// was here before; so both did at that instant. The resource's mu is held.
func (v *visit) compare() {
	if v.doubled || v.lease.Err() != nil {
		return
	}
	r := v.resource
	for other := range r.inside {
		if other != v.lease && other.Err() == nil && v.lease.Err() == nil {
			v.doubled = true
			r.doubles = append(r.doubles, double{time.Now(), other, v.lease})
			return
		}
	}
}
